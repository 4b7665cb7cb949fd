# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
How well a stream is segmented by camera, by events and by both, where one of them has it hard.

Of Street, with simulated events. The conditions:

- day, dim, night, blur: see :data:`mfs_seg_core.data.street.sensor.CONDITIONS`;
- lost: by day; after half a second the camera is gone for one second, whose frames are measured.
  Without events nothing moves the mask then: the last one stays, as it does for who gets no newer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.util.modalities import SENSORS
from mfs_seg_core.util.provenance import DataHash

CONDITIONS = ('day', 'night', 'blur', 'lost')
# Seconds before the camera is lost, and for how long.
LEAD_S, LOST_S = 0.5, 1.0


class Moment(NamedTuple):
    """A step of a drive: a frame or None, the events before it, the truth, whether it counts."""

    image: np.ndarray | None
    events: EventWindow
    label: np.ndarray
    counts: bool


def drive(seed: int, condition: str, frames: int, size: tuple[int, int], rate_hz: float
          ) -> Iterator[Moment]:
    """
    Give ``frames`` steps of a drive; of a camera that is lost, as many as the loss takes.

    :raises ValueError: there is no such condition.
    """
    from mfs_seg_core.data.street import DimCamera, EventCamera, Street, sensor
    lost = condition == 'lost'
    if not lost and condition not in sensor.CONDITIONS:
        raise ValueError(f'no condition {condition!r}: choose from {", ".join(CONDITIONS)}')
    street = Street(seed, *size)
    poor = None if lost else sensor.CONDITIONS[condition]
    camera = street if poor is None else DimCamera(street, **poor)
    seer = EventCamera(street, getattr(camera, 'white', None))
    first_lost = round(LEAD_S * rate_hz) if lost else 0
    if lost:
        frames = first_lost + round(LOST_S * rate_hz)
    for index in range(frames):
        start_s, end_s = index / rate_hz, (index + 1) / rate_hz
        gone = lost and index >= first_lost
        frame = camera.frame(end_s)
        window = EventWindow(seer.events(start_s, end_s), round(start_s * 1e6),
                             round(end_s * 1e6), size)
        yield Moment(None if gone else frame.image, window, frame.label, gone or not lost)


class _Stream:
    """A stream by one sense or by both, and what came of it."""

    def __init__(self, sense: str, like: Segmenter):
        self.sense = sense
        self.segmenter = like.sibling()
        self.matrix = ConfusionMatrix(len(like.classes))
        self.mask: np.ndarray | None = None
        self.frames = 0

    def see(self, moment: Moment, step_s: float) -> None:
        image = None if self.sense == 'events' else moment.image
        events = None if self.sense == 'camera' else moment.events
        if image is not None or events is not None:
            self.mask = self.segmenter.step(image, step_s, events=events).mask
        if moment.counts:
            self.matrix.update(self.mask, moment.label)
            self.frames += 1

    def figures(self) -> dict:
        return {'miou': self.matrix.miou, 'pixel_accuracy': self.matrix.pixel_accuracy,
                'frames': self.frames,
                'iou': {name: None if np.isnan(iou) else float(iou)
                        for name, iou in zip(self.segmenter.classes.names, self.matrix.iou)}}


def measure(segmenter: Segmenter, conditions: tuple[str, ...], senses: tuple[str, ...],
            first_seed: int, seeds: int, frames: int, rate_hz: float, seen: DataHash
            ) -> dict[str, dict[str, dict]]:
    """
    Measure streams of one step a frame on ``seeds`` drives.

    :param seen: takes in events and truth.
    :returns: by condition and sense ``miou``, ``pixel_accuracy``, ``frames`` and ``iou`` by class
        name (None for a class that does not occur).
    :raises ValueError: the weights lack a sense, or there is nothing to measure.
    """
    needed = {sensor for sense in senses for sensor in SENSORS[sense]}
    if missing := needed - set(segmenter.sensors):
        raise ValueError(f'the weights {segmenter.name!r} see nothing of {missing.pop()}: ask for '
                         f'--sensors {segmenter.modality}, or choose weights for both')
    if min(seeds, frames) < 1 or not 0 < rate_hz < float('inf'):
        raise ValueError(f'{seeds} drives of {frames} frames at {rate_hz} Hz: give at least 1 of '
                         'each, and a rate above 0')
    results = {}
    for condition in conditions:
        streams = [_Stream(sense, segmenter) for sense in senses]
        for seed in range(first_seed, first_seed + seeds):
            for stream in streams:
                stream.segmenter.reset()
                stream.mask = None
            for moment in drive(seed, condition, frames, segmenter.input_size, rate_hz):
                seen.add(moment.label)
                seen.add(moment.events.events.t)
                for stream in streams:
                    stream.see(moment, 1 / rate_hz)
        results[condition] = {stream.sense: stream.figures() for stream in streams}
    return results


def table(results: dict[str, dict[str, dict]]) -> str:
    """Lay out the mIoU for people, a row a condition."""
    senses = list(next(iter(results.values())))
    lines = [f'{"mIoU, stream@1":<16}' + ''.join(f'{sense:>12}' for sense in senses)]
    lines += [f'{condition:<16}' + ''.join(f'{100 * row[sense]["miou"]:>10.2f} %'
                                           for sense in senses)
              for condition, row in results.items()]
    return '\n'.join(lines)
