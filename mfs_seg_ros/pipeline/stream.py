# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A view: the stream of a camera, an event camera or both of them, that see the same scene."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from rclpy.clock import Clock

from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.streaming.image_quality import exposure
from mfs_seg_core.streaming.segmenter import Prepared, Segmentation
from mfs_seg_ros.diagnostics.drops import (
    IMAGES_TOO_OLD,
    IMAGES_UNUSABLE,
    PACKETS_MISSING,
    PACKETS_UNUSABLE,
    STEPS_FAILED,
    Losses,
)
from mfs_seg_ros.diagnostics.health import Health
from mfs_seg_ros.messages.images import MessageError, header_of, stamp_ns
from mfs_seg_ros.pipeline.configure import Plan
from mfs_seg_ros.pipeline.continuity import Break, Continuity
from mfs_seg_ros.pipeline.event_map import EventMap
from mfs_seg_ros.pipeline.event_stream import EventStream
from mfs_seg_ros.pipeline.input_queue import Arrived, Inbox
from mfs_seg_ros.pipeline.outputs import Outputs
from mfs_seg_ros.pipeline.synchronizer import Step, Steps

# An image smaller than this shows nothing to segment.
MIN_SIDE = 8
# A stamp so far from now is of another clock, and tells nothing of latency.
OTHER_CLOCK_S = 60.0
# Seconds between two looks at how an image is exposed.
LOOK_S = 1.0
# The clock that steps wait by.
now_s = time.monotonic


class View:
    """
    Makes steps of what comes into its inbox, and answers each with a mask.

    All is called by the worker's thread, but for `rest`, which any thread may call. `settings` is
    looked at anew each time where a parameter may change.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], plan: Plan, inbox: Inbox,
                 outputs: Outputs, health: Health, clock: Clock, logger: Any) -> None:
        self.segmenter = plan.segmenter.sibling()
        self.inbox, self.outputs, self.health = inbox, outputs, health
        self.losses = Losses()
        self._title = f'{name}: ' if name else ''
        self._settings, self._clock, self._logger = settings, clock, logger
        self._read_events = plan.read_events
        self._steps = Steps(plan.trigger, settings['event_window'], settings['event_wait'],
                            settings['max_gap'])
        self._ready: deque[Step] = deque()
        self.event_stream = EventStream(
            EventMap(settings['event_homography'], settings['event_map']))
        self._continuity = Continuity(settings['max_gap'])
        # Why the next step starts from rest: what others asked for, and what the sensors did.
        self._asked: Break | None = None
        self._break: Break | None = None
        self._image_size: tuple[int, int] | None = None
        self._encoding = ''
        self._next_look_s = 0.0
        # Of the step at work.
        self._window: EventWindow | None = None
        self._decode_s = 0.0
        self._taken_s = 0.0

    def rest(self, cause: str, reason: str) -> None:
        """Have the next step start from rest."""
        self._asked = Break(cause, reason)

    def take_in(self) -> None:
        """Take what has come."""
        arrived = self.inbox.take()
        self._taken_s = time.perf_counter()
        self._take_events(arrived)
        self._take_image(arrived)

    def next_step(self) -> Step | None:
        """Return the next step that is complete, if any."""
        return self._ready.popleft() if self._ready else self._steps.take(now_s())

    def wait_s(self) -> float | None:
        """Return the time after which a step will be complete; None: once something has come."""
        return self._steps.wait_s(now_s())

    def _take_events(self, arrived: Arrived) -> None:
        begin = time.perf_counter()
        if arrived.dropped:
            self.event_stream.skip(arrived.dropped)
        for message in arrived.packets:
            try:
                packet = self._read_events(message)
                lost = self.event_stream.lost
                events, broken = self.event_stream.decode(packet)
            except ValueError as error:
                self._complain('events', str(error))
                self.event_stream.skip(1)
                continue
            self.health.lost(PACKETS_MISSING, self.event_stream.lost - lost)
            if broken:
                self._steps.restart()
                self._break = broken
            header = header_of(packet.stamp_ns, packet.frame_id)
            self._steps.add_events(events, header, self.event_stream.clock, now_s())
        self._decode_s += time.perf_counter() - begin

    def _take_image(self, arrived: Arrived) -> None:
        if arrived.image is None:
            return
        convert, message = arrived.image
        if self._is_too_old(stamp_ns(message)):
            self.health.lost(IMAGES_TOO_OLD)
            return
        try:
            image = convert(message)
            height, width = image.shape[:2]
            if min(height, width) < MIN_SIDE:
                raise MessageError(
                    f'the image is {width}x{height} pixels: send at least {MIN_SIDE}x{MIN_SIDE}')
        except ValueError as error:
            self._complain('image', str(error))
            return
        self._follow_encoding(message)
        if now_s() >= self._next_look_s:
            self._next_look_s = now_s() + LOOK_S
            self.health.saw(*exposure(image))
        if step := self._steps.add_image(image, message.header, stamp_ns(message), now_s()):
            self._ready.append(step)
        self._image_size = width, height

    def _is_too_old(self, at_ns: int) -> bool:
        max_age_s = self._settings['max_age']
        return max_age_s > 0 and self._clock.now().nanoseconds - at_ns > 1e9 * max_age_s

    def _follow_encoding(self, message: Any) -> None:
        """Start from rest when a camera sends other colours than before: it was set up anew."""
        encoding = getattr(message, 'encoding', '') or message.format
        if self._encoding and encoding != self._encoding:
            self._break = Break('encoding changed', f"the encoding changed from "
                                f"'{self._encoding}' to '{encoding}'")
        self._encoding = encoding

    def prepare(self, step: Step) -> Prepared | None:
        """Return what the network is to see; None, after a complaint, when it cannot."""
        if step.apart_s:
            self._complain('image', f"an image's stamp is {step.apart_s:.0f} s ahead of the "
                           "events' time: stamp both by one clock")
        self._rest_if_broken(step)
        try:
            self._window = self.event_stream.window(step, self._image_size)
            return self.segmenter.prepare(step.image, self._continuity.step_s, self._window)
        except ValueError as error:
            self._complain(step.cause, str(error))
            return None

    def _rest_if_broken(self, step: Step) -> None:
        """Bring the neurons to rest when this step does not continue what they have seen."""
        size = None if step.image is None else step.image.shape[:2]
        asked, self._asked = self._asked, None
        heard, self._break = self._break, None
        followed = self._continuity.break_before(step.stamp_ns, size, step.cause)
        if broken := asked or followed or heard:
            self.health.reset(broken.cause, broken.reason)
            self._logger.info(f'{self._title}the state returns to rest: {broken.reason}')
        if broken or not self._settings['keep_state']:
            self.segmenter.reset()

    def publish(self, step: Step, result: Segmentation) -> None:
        """Answer a step."""
        self.outputs.publish(step.header, step.image, self._window, result)
        processing_s = time.perf_counter() - self._taken_s
        latency_s = (self._clock.now().nanoseconds - step.stamp_ns) / 1e9
        latency_s = latency_s if abs(latency_s) < OTHER_CLOCK_S else None
        self.health.answered(now_s(), latency_s, processing_s, result.model_ms)
        self.outputs.publish_times(
            model_time_ms=result.model_ms, decode_time_ms=1e3 * self._decode_s,
            processing_time_ms=1e3 * processing_s,
            pipeline_latency_ms=None if latency_s is None else 1e3 * latency_s)
        self._decode_s = 0.0

    def fail(self) -> None:
        """Take note that a step failed for reasons of our own, and trust its state no more."""
        self.health.lost(STEPS_FAILED)
        self.segmenter.reset()

    def report(self) -> None:
        """Log what was lost since the last report, if anything was."""
        for sentence in self.losses.report(self.health.totals, self.event_stream.faults):
            self._logger.warn(self._title + sentence)

    def _complain(self, kind: str, sentence: str) -> None:
        """Count an unusable message, and log each sentence once in a report period."""
        self.health.lost(PACKETS_UNUSABLE if kind == 'events' else IMAGES_UNUSABLE)
        if self.losses.is_new(sentence):
            self._logger.error(f'{self._title}unusable message: {sentence}')
