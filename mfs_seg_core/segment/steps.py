# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The steps of a recording: the same pairs of images and events whenever it is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from mfs_seg_core.sources.items import EventBatch, Frame, due_s
from mfs_seg_core.streaming.continuity import Continuity
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
    """

    stamp_ns: int
    frame_id: str
    log_ns: int
    name: str = ''
    label: np.ndarray | None = None


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


def steps_of(items: Iterable[Frame | EventBatch], sensors: str, window_s: float, max_gap_s: float,
             continuity: Continuity) -> Iterator[Step]:
    """
    Assign images and events to steps.

    Each image is a step, with the events since the step before up to its stamp; of events alone,
    each window is a step. An image waits for its events as long as it takes.

    :param items: frames and batches of events in the order of their publication.
    :param sensors: 'camera', 'events' or 'fusion'.
    :param window_s: duration of a step of events in seconds.
    :param max_gap_s: longest time in seconds that events are kept without a step.
    :param continuity: follows the batches of events, and later the steps.
    :yields: steps, whose headers are :class:`StepHeader`.
    """
    if sensors == 'events':
        synchronizer = Synchronizer('events', window_s, float('inf'), max_gap_s)
        yield from _labelled(_event_steps(items, synchronizer, continuity))
        return
    synchronizer = Synchronizer('image', window_s, float('inf'), max_gap_s)
    packets = None
    for item in items:
        if isinstance(item, Frame):
            header = header_of(item)
            synchronizer.add_image(DecodedImage(
                item.image, header, _time_ns(item), '', due_s(item)))
        else:
            packets = packets or _packet_reader(continuity)
            if (packet := _decoded(packets, item)) is not None:
                synchronizer.add_events(packet)
        yield from _complete(synchronizer, due_s(item))
    yield from _complete(synchronizer, float('inf'))


def _event_steps(items: Iterable[Frame | EventBatch], synchronizer: Synchronizer,
                 continuity: Continuity) -> Iterator[Step | Frame]:
    """Yield the steps of events alone, and the frames, which hold labels."""
    packets = _packet_reader(continuity)
    for item in items:
        # A pause of the events ends their last window.
        yield from _complete(synchronizer, due_s(item))
        if isinstance(item, Frame):
            yield item
        elif (packet := _decoded(packets, item)) is not None:
            synchronizer.add_events(packet)
            yield from _complete(synchronizer, due_s(item))
    yield from _complete(synchronizer, float('inf'))


def _complete(synchronizer: Synchronizer, now_s: float) -> Iterator[Step]:
    while (step := synchronizer.take(now_s)) is not None:
        if step.cause == 'events':
            # The mask of a window has the time of its end.
            step = replace(step, header=replace(step.header, stamp_ns=step.stamp_ns))
        yield step


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


def _decoded(packets, batch: EventBatch):
    header = header_of(batch)
    return packets.decode(batch, header, header.stamp_ns)


def _packet_reader(continuity: Continuity):
    # Imported here: images alone do not need Numba.
    from mfs_seg_core.segment.packets import PacketReader
    return PacketReader(continuity)
