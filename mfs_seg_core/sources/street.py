# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The procedural driving scenes of Street as a source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from mfs_seg_core.data.street import EventCamera, Street
from mfs_seg_core.sources.items import EventBatch, Frame
from mfs_seg_core.sources.packetize import batches
from mfs_seg_core.sources.source import Source

STREET = 'street'
STREET_SIZE = (240, 180)
# Between frames of 20 Hz, three are interpolated: rendering them takes more than one core.
EVENT_STEP_S, EVENT_INTERPOLATED = 0.05, 3
STREET_RATE_HZ = 20.0


@dataclass(frozen=True)
class StreetSource(Source):
    """
    Procedural driving scenes without end; a seed always yields the same drive.

    :param seed: seed of the drive.
    :param width: columns of the frames in pixels.
    :param height: rows of the frames in pixels.
    :param rate_hz: frames per second.
    :param batch_us: duration of a batch of events in microseconds; 0: without events.
    """

    seed: int
    width: int
    height: int
    rate_hz: float
    batch_us: int = 0

    def __iter__(self) -> Iterator[Frame | EventBatch]:
        street = Street(self.seed, self.width, self.height, self.rate_hz)
        events = (EventCamera(street, step_s=EVENT_STEP_S, interpolated=EVENT_INTERPOLATED)
                  if self.batch_us else None)
        for index in count():
            time_s = index / self.rate_hz
            if events and index:
                latest = events.events((index - 1) / self.rate_hz, time_s)
                yield from batches(
                    latest, self.width, self.height, self.batch_us, round(time_s * 1e6))
            frame = street.frame(time_s)
            yield Frame(frame.image, frame.label, time_s)
