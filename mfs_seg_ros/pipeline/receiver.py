# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The receiving half of a camera: from received messages to steps of the network."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.streaming.event_stream import EventStream
from mfs_seg_core.streaming.step import Step
from mfs_seg_core.streaming.synchronizer import Synchronizer
from mfs_seg_ros.diagnostics.drops import (
    IMAGES_TOO_OLD,
    IMAGES_UNUSABLE,
    PACKETS_LATE,
    PACKETS_MISSING,
    PACKETS_UNUSABLE,
    DropLog,
)
from mfs_seg_ros.diagnostics.rejected_events import RejectedEvents
from mfs_seg_ros.messages.images import header_of
from mfs_seg_ros.pipeline.event_map import EventMap
from mfs_seg_ros.pipeline.image_reader import ImageReader
from mfs_seg_ros.pipeline.input_queue import InputQueue, Timed
from mfs_seg_ros.pipeline.points import LabelledPoints

# Seconds between two judgements of the share of rejected events.
JUDGEMENT_PERIOD_S = 0.5


class Receiver:
    """
    Decodes the messages of a queue, and assigns them to steps.

    All methods are called by the worker's thread.

    :param queue: received messages.
    :param images: converts images.
    :param read_packet: reads an event packet from the bytes of its message; None without events.
    :param events: decodes event packets.
    :param event_map: place of the events in the image.
    :param synchronizer: assigns images and events to steps.
    :param log: counts and logs unusable messages.
    :param points: takes depth images or point clouds; None: there are none.
    """

    def __init__(self, queue: InputQueue, images: ImageReader,
                 read_packet: Callable[[bytes], EventPacket] | None, events: EventStream,
                 event_map: EventMap, synchronizer: Synchronizer, log: DropLog,
                 points: LabelledPoints | None = None) -> None:
        self._queue, self._images, self._read_packet = queue, images, read_packet
        self._events, self._event_map, self._synchronizer = events, event_map, synchronizer
        self._log, self._points = log, points
        self._rejected, self._next_judgement_s = RejectedEvents(), 0.0

    @property
    def filled(self) -> bool:
        """Whether a message was received since the last :meth:`receive`."""
        return self._queue.filled

    def receive(self, settings: Mapping[str, Any]) -> None:
        """Decode the received messages; ``settings`` are the parameters now."""
        received = self._queue.take()
        if received.dropped:
            self._events.skip(received.dropped)
        for packet in received.packets:
            self._decode(packet)
        if received.packets:
            self._judge_events()
        if received.image is not None:
            self._convert(received.image, settings['max_age'])
        if self._points:
            self._points.receive(received.geometries, received.camera_info)

    def next_step(self) -> Step | None:
        """Return the next complete step; None: there is none now."""
        while (step := self._synchronizer.take(time.monotonic())) is not None:
            if step.stamp_offset_s:
                self._log.unusable(
                    IMAGES_UNUSABLE, f"an image's stamp is {step.stamp_offset_s:.0f} s ahead of "
                    "the events' time: stamp both by one clock")
            try:
                return self._event_map.align(step)
            except ValueError as error:
                self._log.unusable(
                    PACKETS_UNUSABLE if step.cause == 'events' else IMAGES_UNUSABLE, str(error))
        return None

    def wait_s(self) -> float | None:
        """Return the seconds until a step is complete without new messages; None: never."""
        return self._synchronizer.wait_s(time.monotonic())

    def report(self) -> None:
        """Log what was dropped or missing since the last report."""
        self._log.report(self._events.faults)

    def _decode(self, received: Timed) -> None:
        try:
            message = self._read_packet(received.message)
            packet = self._events.decode(message, received.received_s,
                                         header_of(message.stamp_ns, message.frame_id))
        except ValueError as error:
            self._log.unusable(PACKETS_UNUSABLE, str(error))
            self._events.skip(1)
            return
        self._log.count(PACKETS_MISSING, packet.missing)
        if packet.late:
            self._log.count(PACKETS_LATE)
        else:
            self._synchronizer.add_events(packet)

    def _judge_events(self) -> None:
        now_s = time.monotonic()
        if now_s >= self._next_judgement_s:
            self._next_judgement_s = now_s + JUDGEMENT_PERIOD_S
            clause = self._rejected.judge(self._events.faults, self._events.accepted)
            if clause is not None:
                self._log.rejected(clause)

    def _convert(self, received: Timed, max_age_s: float) -> None:
        if self._images.is_too_old(received, max_age_s):
            self._log.count(IMAGES_TOO_OLD)
            return
        try:
            image = self._images.read(received)
        except ValueError as error:
            self._log.unusable(IMAGES_UNUSABLE, str(error))
            return
        self._synchronizer.add_image(image)
