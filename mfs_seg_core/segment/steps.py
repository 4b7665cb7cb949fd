# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The steps of a recording: the same pairs of images and events whenever it is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.sources.items import EventBatch, Frame, due_s
from mfs_seg_core.streaming.continuity import Continuity, StepCheck
from mfs_seg_core.streaming.step import Step
from mfs_seg_core.streaming.synchronizer import DecodedImage, Synchronizer

# Recordings without stamps begin at this time: a stamp of 0 means 'unknown' to ROS tools.
START_NS = 1_000_000_000
IMAGE_FRAME, EVENTS_FRAME = 'camera', 'event_camera'
# The end of a window of events is at most this far from the label that belongs to it.
NEAR_NS = 10_000_000


@dataclass(frozen=True)
class StepHeader:
    """
    The message that completed a step.

    :param stamp_ns: stamp of the mask in nanoseconds.
    :param frame_id: name of the coordinate frame.
    :param log_ns: time of its recording in nanoseconds.
    :param name: name of the image's file without suffix; empty: it has none.
    :param label: uint8 ``[H, W]`` class ids; None: there is none.
    :param check: whether the step continues the stream.
    """

    stamp_ns: int
    frame_id: str
    log_ns: int
    name: str = ''
    label: np.ndarray | None = None
    check: StepCheck = StepCheck(None, None)


def header_of(item: Frame | EventBatch) -> StepHeader:
    """Return the header of an item: that of its message, or one made of its time."""
    is_frame = isinstance(item, Frame)
    name, label = (item.name, item.label) if is_frame else ('', None)
    if item.recorded:
        return StepHeader(item.recorded.stamp_ns, item.recorded.frame_id, item.recorded.log_ns,
                          name, label)
    return StepHeader(START_NS + round(item.time_s * 1e9),
                      IMAGE_FRAME if is_frame else EVENTS_FRAME,
                      START_NS + round(due_s(item) * 1e9), name, label)


def steps_of(items: Iterable[Frame | EventBatch], sensors: str, window_s: float, max_gap_s: float
             ) -> Iterator[Step]:
    """
    Assign images and events to steps.

    Each image is a step, with the events since the step before up to its stamp; of events alone,
    each window is a step. An image waits for its events as long as it takes.

    :param items: frames and batches of events in the order of their publication.
    :param sensors: 'camera', 'events' or 'fusion'.
    :param window_s: duration of a step of events in seconds.
    :param max_gap_s: longest time in seconds that events, and the state, are kept without a step.
    :returns: iterator of steps, whose headers are :class:`StepHeader`.
    """
    if sensors == 'events':
        return _labelled(_event_steps(items, _Pairing('events', window_s, max_gap_s)))
    return _image_steps(items, _Pairing('image', window_s, max_gap_s))


def _image_steps(items: Iterable[Frame | EventBatch], pairing: _Pairing) -> Iterator[Step]:
    for item in items:
        pairing.add(item)
        yield from pairing.complete(due_s(item))
    yield from pairing.complete(float('inf'))


def _event_steps(items: Iterable[Frame | EventBatch], pairing: _Pairing
                 ) -> Iterator[Step | Frame]:
    """Yield the steps of events alone, and the frames, which hold labels."""
    for item in items:
        # A pause of the events ends their last window.
        yield from pairing.complete(due_s(item))
        if isinstance(item, Frame):
            yield item
        else:
            pairing.add(item)
            yield from pairing.complete(due_s(item))
    yield from pairing.complete(float('inf'))


class _Pairing:
    """Images and events on their way to steps."""

    def __init__(self, trigger: str, window_s: float, max_gap_s: float):
        self._synchronizer = Synchronizer(trigger, window_s, float('inf'), max_gap_s)
        self._continuity = Continuity(max_gap_s)
        self._packets = None
        self._seq = 0

    def add(self, item: Frame | EventBatch) -> None:
        header = header_of(item)
        if isinstance(item, Frame):
            self._synchronizer.add_image(DecodedImage(
                item.image, header, _time_ns(item), '', due_s(item)))
            return
        if self._packets is None:
            # Imported here: images alone do not need Numba.
            from mfs_seg_core.streaming.event_stream import EventStream
            self._packets = EventStream(self._continuity)
        self._seq = self._seq + 1 if item.seq is None else item.seq
        packet = self._packets.decode(EventPacket(
            header.stamp_ns, item.width, item.height, self._seq, item.time_base, item.encoding,
            memoryview(item.data)), due_s(item), header)
        if not packet.late:
            self._synchronizer.add_events(packet)

    def complete(self, now_s: float) -> Iterator[Step]:
        while (step := self._synchronizer.take(now_s)) is not None:
            check = self._continuity.check(step)
            self._continuity.accept(step, check)
            header = replace(step.header, check=check)
            if step.cause == 'events':
                # The mask of a window has the time of its end.
                header = replace(header, stamp_ns=step.stamp_ns)
            yield replace(step, header=header)


def _labelled(items: Iterable[Step | Frame]) -> Iterator[Step]:
    """Yield the steps, each with the label near its stamp, which may arrive before or after it."""
    labels: deque[tuple[int, np.ndarray]] = deque(maxlen=2)
    held: Step | None = None
    for item in items:
        if isinstance(item, Frame):
            labels.append((_time_ns(item), item.label))
            continue
        if held is not None:
            yield _with_label(held, labels)
        held = item
    if held is not None:
        yield _with_label(held, labels)


def _with_label(step: Step, labels: Iterable[tuple[int, np.ndarray]]) -> Step:
    near = [(abs(time_ns - step.stamp_ns), index) for index, (time_ns, _) in enumerate(labels)]
    distance_ns, index = min(near, default=(NEAR_NS + 1, 0))
    if distance_ns > NEAR_NS:
        return step
    return replace(step, header=replace(step.header, label=list(labels)[index][1]))


def _time_ns(item: Frame) -> int:
    return START_NS * (item.recorded is None) + round(item.time_s * 1e9)
