# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events, and frames if there are any, of an event camera's recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mfs_seg_core.events.types import Events
from mfs_seg_core.sources.items import EventBatch, Frame, SourceError, due_s
from mfs_seg_core.sources.packetize import batches
from mfs_seg_core.sources.source import Source

# Single events are out of order by less than this; more is a clock that was set back.
BACK_US = 10_000


@dataclass(frozen=True)
class RecordingSource(Source):
    """
    A file of an event camera; see :mod:`mfs_seg_core.events.recordings`.

    :param path: the file.
    :param sensors: 'camera', 'events' (without frames) or 'fusion'.
    :param batch_us: duration of a batch of events in microseconds.
    :param topic: name of the events, where a file has several; empty: the first.
    :param sensor_size: width and height of the sensor; None: as recorded.
    :param columns: order of the columns; empty: as recorded.
    :param unit: unit of the times; empty: as recorded.
    """

    path: Path
    sensors: str
    batch_us: int
    topic: str = ''
    sensor_size: tuple[int, int] | None = None
    columns: str = ''
    unit: str = ''

    def __iter__(self) -> Iterator[Frame | EventBatch]:
        # Imported here: other sources do not need Numba.
        from mfs_seg_core.events.recordings import open_recording
        try:
            recording = open_recording(
                self.path, self.topic, self.sensor_size, columns=self.columns, unit=self.unit)
            frames = iter(()) if self.sensors == 'events' else self._frames(recording)
            if self.sensors == 'camera':
                yield from frames
            else:
                yield from merged(self._batches(recording), frames)
        except ValueError as error:
            raise SourceError(str(error)) from None

    def _batches(self, recording) -> Iterator[EventBatch]:
        for chunk in recording:
            self.report.count_events(recording.faults, recording.accepted)
            for events in in_order(chunk):
                yield from batches(events, *recording.size, self.batch_us)
        self.report.count_events(recording.faults, recording.accepted)
        for note in recording.notes:
            self.report.note(f"'{self.path}': {note}")

    def _frames(self, recording) -> Iterator[Frame]:
        none = True
        for time_us, image in recording.frames():
            none = False
            if image.ndim == 2:
                image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
            yield Frame(image, None, time_us / 1e6)
        if none:
            raise SourceError(f"'{self.path}' holds no frames: choose the sensors 'events'.")


def in_order(events: Events) -> list[Events]:
    """Cut events where their clock was set back, and sort each part by time."""
    falls = np.diff(events.t, prepend=events.t[:1])
    if not (falls < 0).any():
        return [events]
    cuts = np.flatnonzero(falls < -BACK_US)
    parts = [events.where(part) for part in np.split(np.arange(events.count), cuts)]
    return [part.where(np.argsort(part.t, kind='stable')) for part in parts if part.count]


def merged(
    packets: Iterator[EventBatch], frames: Iterator[Frame]
) -> Iterator[Frame | EventBatch]:
    """Merge both in the order of time; a frame follows all batches with earlier events."""
    frame = next(frames, None)
    due = -np.inf
    for packet in packets:
        while frame is not None and frame.time_s < packet.time_s:
            yield _delayed(frame, due)
            frame = next(frames, None)
        due = max(due, due_s(packet))
        yield packet
    while frame is not None:
        yield _delayed(frame, due)
        frame = next(frames, None)


def _delayed(frame: Frame, due: float) -> Frame:
    return Frame(frame.image, frame.label, frame.time_s, max(due - frame.time_s, 0.0))
