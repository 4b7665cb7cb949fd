# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which images and events make a step of the network together; knows no ROS."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mfs_seg_core.events.types import Events, concatenate
from mfs_seg_ros.pipeline.sensor_clock import SensorClock

# The events up to the stamp of an image are there when the last is no more than this before it.
SLACK_US = 1000
# While there is a camera, a window without an image is let go so many windows after its end.
PATIENCE = 0.5


@dataclass(frozen=True)
class Step:
    """
    What the network is to see in one step.

    `cause` is 'image' or 'events': what completed it, and whose header it has. `stamp_ns` is its
    time. Of `image`, uint8 [H, W, 3], and `events` at least one is there; the events are those of
    `start_us` <= t < `end_us` of the sensor's time. `apart_s` is how far the image's stamp is ahead
    of the events where that is too far to be true, else 0.
    """

    cause: str
    header: Any
    stamp_ns: int
    image: np.ndarray | None
    events: Events | None = None
    start_us: int = 0
    end_us: int = 0
    apart_s: float = 0.0


@dataclass(frozen=True)
class TimedImage:
    """An image, with the moment up to which it waits for the events before it."""

    image: np.ndarray
    header: Any
    stamp_ns: int
    deadline_s: float


class Steps:
    """
    Makes steps of what arrives, by `trigger`:

    'image': each image is a step, with the events since the step before up to its stamp. They come
    on another topic, so it waits for them, but for `wait_s` at most.
    'events': each `window_s` of events is a step, with the newest image if one came meanwhile.
    'both': each image is a step; so is each window of events that has none.

    A step that comes late takes in all events since the one before, unless that is more than
    `max_gap_s`: then, as at the beginning, those of one window. When no more events come for so
    long, those that are left are a step, where events make steps.
    """

    def __init__(self, trigger: str, window_s: float, wait_s: float, max_gap_s: float) -> None:
        self._trigger = trigger
        self._window_us = round(window_s * 1e6)
        self._wait_s = wait_s
        self._max_gap_us = round(max_gap_s * 1e6)
        self._silence_s = max(max_gap_s, window_s)
        self._image: TimedImage | None = None
        self.restart()

    def restart(self) -> None:
        """Forget the events: the time of those that follow has nothing to do with theirs."""
        self._clock: SensorClock | None = None
        self._pending: list[Events] = []
        self._header: Any = None
        self._newest_us = 0
        # When the stream of events will have ended, if no more come.
        self._ends_s = 0.0
        # Where the last step's events ended; before the first step, where the events began.
        self._end_us = 0
        self._first_step = True
        # Sensor time of the last image.
        self._image_us: int | None = None

    def add_image(
        self, image: np.ndarray, header: Any, stamp_ns: int, now_s: float
    ) -> Step | None:
        """
        Add an image, uint8 [H, W, 3]; return the step of one before it that was still waiting.

        `now_s` is a time in seconds, of the same clock in all calls.
        """
        before = self._image_step() if self._waiting else None
        self._image = TimedImage(image, header, stamp_ns, now_s + self._wait_s)
        return before

    def add_events(
        self, events: Events, header: Any, clock: SensorClock, now_s: float
    ) -> None:
        """Add the events of a packet, which may be none, and the clock that they go by."""
        self._header = header
        self._ends_s = now_s + self._silence_s
        if not events.count:
            return
        if self._clock is None:
            self._end_us = int(events.t[0])
        self._clock = clock
        self._newest_us = max(self._newest_us, int(events.t[-1]))
        self._pending.append(events)
        # Without steps, events would fill the memory.
        while self._pending[0].t[-1] < self._newest_us - self._max_gap_us:
            del self._pending[0]

    def take(self, now_s: float) -> Step | None:
        """Return the next step, or None as long as something is missing."""
        if self._waiting:
            complete = now_s >= self._image.deadline_s or self._has_events_up_to_image()
            return self._image_step() if complete else None
        if self._clock and self._trigger != 'image':
            return self._events_step(ended=now_s >= self._ends_s)
        return None

    def wait_s(self, now_s: float) -> float | None:
        """Return the time after which to call `take` again; None: once something has come."""
        if self._waiting:
            return max(0.0, self._image.deadline_s - now_s)
        if self._pending and self._trigger != 'image':
            return max(0.0, self._ends_s - now_s)
        return None

    @property
    def _waiting(self) -> bool:
        return self._image is not None and self._trigger != 'events'

    def _has_events_up_to_image(self) -> bool:
        """Return whether nothing is gained by waiting for more events."""
        if self._clock is None:
            return True
        missing_us = self._clock.to_sensor_us(self._image.stamp_ns) - self._newest_us
        return missing_us <= SLACK_US or missing_us > self._max_gap_us

    def _image_step(self) -> Step:
        taken, self._image = self._image, None
        step = partial(Step, 'image', taken.header, taken.stamp_ns, taken.image)
        if self._clock is None:
            return step()
        end_us = self._image_us = self._clock.to_sensor_us(taken.stamp_ns)
        ahead_us = end_us - self._newest_us
        if self._pending and abs(ahead_us) > self._max_gap_us:
            step = partial(step, apart_s=ahead_us / 1e6)
        if ahead_us > SLACK_US:
            # What is still to come belongs to the next step.
            end_us = self._newest_us + 1
        return step(*self._cut(end_us)) if end_us > self._end_us else step()

    def _events_step(self, ended: bool) -> Step | None:
        passed_us = self._newest_us - self._end_us
        patience = PATIENCE if self._expects_images() else 0
        if passed_us >= (1 + patience) * self._window_us:
            cut = self._cut(self._end_us + passed_us // self._window_us * self._window_us)
        elif ended and self._pending:
            cut = self._cut(self._newest_us + 1)
        else:
            return None
        taken, self._image = self._image, None
        return Step('events', self._header, self._clock.to_ros_ns(cut[-1]),
                    taken.image if taken else None, *cut)

    def _expects_images(self) -> bool:
        return (self._trigger == 'both' and self._image_us is not None
                and self._newest_us - self._image_us <= self._max_gap_us)

    def _cut(self, end_us: int) -> tuple[Events, int, int]:
        """Take out the events before a time; give them, and the start and the end of their time."""
        taken = []
        while self._pending and self._pending[0].t[0] < end_us:
            events = self._pending.pop(0)
            if events.t[-1] >= end_us:
                early = events.t < end_us
                self._pending.insert(0, events.where(~early))
                events = events.where(early)
            taken.append(events)
        events, start_us = concatenate(taken), self._end_us
        if self._first_step or end_us - start_us > self._max_gap_us:
            start_us = max(start_us, end_us - self._window_us)
            events = events.where(events.t >= start_us)
        # Sensors mix up the order of single events by microseconds.
        if events.count and (events.t.min() < start_us or events.t.max() >= end_us):
            events = events._replace(t=events.t.clip(start_us, end_us - 1))
        self._end_us, self._first_step = end_us, False
        return events, start_us, end_us
