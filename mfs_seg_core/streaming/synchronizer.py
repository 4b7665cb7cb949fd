# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Assign images and events to steps of the network, without ROS."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import numpy as np

from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.events.types import Events, concatenate
from mfs_seg_core.streaming.sensor_clock import SensorClock
from mfs_seg_core.streaming.step import Step

# The events up to the stamp of an image are complete when the last one is at most this older.
SLACK_US = 1000
# While there is a camera, a window without an image is closed this many windows after its end.
PATIENCE = 0.5


class DecodedImage(NamedTuple):
    """
    An image, and what its message says about it.

    :param pixels: uint8 ``[H, W, 3]``, RGB.
    :param header: header of the message.
    :param stamp_ns: its stamp in nanoseconds.
    :param encoding: encoding or format of the message.
    :param received_s: when it was received, by ``time.monotonic``.
    """

    pixels: np.ndarray
    header: Any
    stamp_ns: int
    encoding: str
    received_s: float


class DecodedPacket(NamedTuple):
    """
    The events of a packet, and what its message says about them.

    :param events: events in sensor time; there may be none.
    :param header: header of the message.
    :param size: width and height of the sensor.
    :param clock: clock that maps the sensor's time to ROS time.
    :param received_s: when it was received, by ``time.monotonic``.
    :param decode_s: time that decoding took.
    :param restarts: whether the sensor's time has no relation to that of the packets before.
    :param missing: packets that are missing before this one; -1 for a late one that was counted as
        missing.
    :param late: whether it arrived after later ones; its events are not used.
    """

    events: Events
    header: Any
    size: tuple[int, int]
    clock: SensorClock
    received_s: float = 0.0
    decode_s: float = 0.0
    restarts: bool = False
    missing: int = 0
    late: bool = False


class Synchronizer:
    """
    Makes steps of images and event packets, by ``trigger``.

    - ``image``: each image is a step, with the events since the step before up to its stamp. They
      arrive on another topic, so an image waits for them, but not longer than ``wait_s``.
    - ``events``: each ``window_s`` of events is a step, with the latest image if one arrived since
      the step before.
    - ``both``: each image is a step; so is each window of events without one.

    A late step takes all events since the one before, unless that is more than ``max_gap_s``: then,
    as at the start, those of one window. When no more events arrive for that long, the remaining
    ones are a step, where events make steps.

    Times in seconds are those of ``time.monotonic``, as in ``received_s``.
    """

    def __init__(self, trigger: str, window_s: float, wait_s: float, max_gap_s: float) -> None:
        self._trigger = trigger
        self._window_us = round(window_s * 1e6)
        self._wait_s = wait_s
        self._max_gap_us = round(max_gap_s * 1e6)
        self._silence_s = max(max_gap_s, window_s)
        self._image: DecodedImage | None = None
        self._image_size: tuple[int, int] | None = None
        # Images whose wait was cut short by a newer one.
        self._ready: deque[Step] = deque()
        self._decode_s = 0.0
        self._restart()

    def _restart(self) -> None:
        """Forget the events: the sensor's time starts from elsewhere."""
        self._packet: DecodedPacket | None = None
        self._pending: list[Events] = []
        self._newest_us = 0
        # End of the last step's events; before the first step, start of the events.
        self._end_us = 0
        self._first_step = True
        # Sensor time of the last image.
        self._image_us: int | None = None

    def add_image(self, image: DecodedImage) -> None:
        """Add an image; one that still waits for its events becomes a step without them."""
        if self._waiting:
            self._ready.append(self._image_step())
        self._image = image
        height, width = image.pixels.shape[:2]
        self._image_size = width, height

    def add_events(self, packet: DecodedPacket) -> None:
        """Add the events of a packet."""
        if packet.restarts:
            self._restart()
        self._decode_s += packet.decode_s
        events = packet.events
        if self._packet is None and events.count:
            self._end_us = int(events.t[0])
        if self._packet is not None or events.count:
            self._packet = packet
        if not events.count:
            return
        self._newest_us = max(self._newest_us, int(events.t[-1]))
        self._pending.append(events)
        # Without steps, events would fill the memory.
        while self._pending[0].t[-1] < self._newest_us - self._max_gap_us:
            del self._pending[0]

    def take(self, now_s: float) -> Step | None:
        """Return the next complete step; None as long as there is none."""
        if self._ready:
            return self._ready.popleft()
        if self._waiting:
            complete = now_s >= self._deadline_s or self._has_events_up_to_image()
            return self._image_step() if complete else None
        if self._packet and self._trigger != 'image':
            return self._events_step(ended=now_s >= self._silent_from_s)
        return None

    def wait_s(self, now_s: float) -> float | None:
        """Return the seconds until :meth:`take` has a step without new input; None: never."""
        if self._waiting:
            return max(0.0, self._deadline_s - now_s)
        if self._pending and self._trigger != 'image':
            return max(0.0, self._silent_from_s - now_s)
        return None

    @property
    def _waiting(self) -> bool:
        return self._image is not None and self._trigger != 'events'

    @property
    def _deadline_s(self) -> float:
        """Time at which the image stops waiting for its events."""
        return self._image.received_s + self._wait_s

    @property
    def _silent_from_s(self) -> float:
        """Time from which the stream of events has ended, unless a packet arrives before."""
        return self._packet.received_s + self._silence_s

    def _has_events_up_to_image(self) -> bool:
        """Return whether more events would change nothing."""
        if self._packet is None:
            return True
        missing_us = self._packet.clock.to_sensor_us(self._image.stamp_ns) - self._newest_us
        return missing_us <= SLACK_US or missing_us > self._max_gap_us

    def _image_step(self) -> Step:
        image, self._image = self._image, None
        window, offset_s = None, 0.0
        if self._packet is not None:
            end_us = self._image_us = self._packet.clock.to_sensor_us(image.stamp_ns)
            ahead_us = end_us - self._newest_us
            if self._pending and abs(ahead_us) > self._max_gap_us:
                offset_s = ahead_us / 1e6
            if ahead_us > SLACK_US:
                # Events that arrive later belong to the next step.
                end_us = self._newest_us + 1
            if end_us > self._end_us:
                window = self._cut(end_us)
        return self._step('image', image.header, image.stamp_ns, image.received_s, image, window,
                          offset_s)

    def _events_step(self, ended: bool) -> Step | None:
        passed_us = self._newest_us - self._end_us
        patience = PATIENCE if self._expects_images() else 0
        if passed_us >= (1 + patience) * self._window_us:
            window = self._cut(self._end_us + passed_us // self._window_us * self._window_us)
        elif ended and self._pending:
            window = self._cut(self._newest_us + 1)
        else:
            return None
        image, self._image = self._image, None
        packet = self._packet
        return self._step('events', packet.header, packet.clock.to_ros_ns(window.end_us),
                          packet.received_s, image, window)

    def _step(self, cause: str, header: Any, stamp_ns: int, received_s: float,
              image: DecodedImage | None, window: EventWindow | None, offset_s: float = 0.0
              ) -> Step:
        decode_s, self._decode_s = self._decode_s, 0.0
        pixels, encoding = (image.pixels, image.encoding) if image else (None, '')
        return Step(cause, header, stamp_ns, received_s, pixels, encoding, window,
                    self._image_size, decode_s, offset_s)

    def _expects_images(self) -> bool:
        return (self._trigger == 'both' and self._image_us is not None
                and self._newest_us - self._image_us <= self._max_gap_us)

    def _cut(self, end_us: int) -> EventWindow:
        """Remove and return the events before a sensor time."""
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
        return EventWindow(events, start_us, end_us, self._packet.size)
