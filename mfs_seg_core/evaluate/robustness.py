# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Compare the modalities camera, events and fusion under conditions that are hard for a sensor.

The data are drives of Street with simulated events. The conditions:

- day, dim, night, blur: see :data:`mfs_seg_core.data.street.sensor.CONDITIONS`;
- outage: by day; after half a second the camera sends no frame for one second, and only that
  second is measured. A stream of the camera alone keeps its last mask, as a subscriber would.
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
from mfs_seg_core.util.table import cell, text_table

CONDITIONS = ('day', 'night', 'blur', 'outage')
# Seconds before the outage, and of it.
LEAD_S, OUTAGE_S = 0.5, 1.0


class DriveStep(NamedTuple):
    """
    One step of a drive.

    :param image: uint8 ``[H, W, 3]``, RGB; None while the camera sends nothing.
    :param events: events since the step before.
    :param label: uint8 ``[H, W]``, class ids and 255.
    :param measured: whether the mask of this step is scored.
    """

    image: np.ndarray | None
    events: EventWindow
    label: np.ndarray
    measured: bool


def drive(seed: int, condition: str, frames: int, size: tuple[int, int], rate_hz: float
          ) -> Iterator[DriveStep]:
    """
    Render a drive with a camera and an event camera.

    :param seed: seed of the street.
    :param condition: 'day', 'dim', 'night', 'blur' or 'outage'.
    :param frames: number of steps; an outage has as many as it lasts.
    :param size: width and height of the frames.
    :param rate_hz: steps per second.
    :yields: the steps, in order.
    :raises ValueError: the condition is unknown.
    """
    from mfs_seg_core.data.street import DimCamera, EventCamera, Street, sensor
    outage = condition == 'outage'
    if not outage and condition not in sensor.CONDITIONS:
        raise ValueError(f'no condition {condition!r}: choose from {", ".join(CONDITIONS)}')
    street = Street(seed, *size)
    camera_settings = None if outage else sensor.CONDITIONS[condition]
    camera = street if camera_settings is None else DimCamera(street, **camera_settings)
    event_camera = EventCamera(street, getattr(camera, 'white', None))
    outage_start = round(LEAD_S * rate_hz)
    if outage:
        frames = outage_start + round(OUTAGE_S * rate_hz)
    for index in range(frames):
        start_s, end_s = index / rate_hz, (index + 1) / rate_hz
        in_outage = outage and index >= outage_start
        frame = camera.frame(end_s)
        window = EventWindow(event_camera.events(start_s, end_s), round(start_s * 1e6),
                             round(end_s * 1e6), size)
        yield DriveStep(None if in_outage else frame.image, window, frame.label,
                        in_outage or not outage)


class _ModalityEvaluation:
    """One modality: its stream and its scores so far."""

    def __init__(self, modality: str, segmenter: Segmenter):
        self.modality = modality
        self.segmenter = segmenter.sibling()
        self.matrix = ConfusionMatrix(len(segmenter.classes))
        self.mask: np.ndarray | None = None
        self.frames = 0

    def start(self) -> None:
        """Reset the stream for a new drive."""
        self.segmenter.reset()
        self.mask = None

    def add(self, step: DriveStep, step_s: float) -> None:
        """Segment a step and score its mask."""
        image = None if self.modality == 'events' else step.image
        events = None if self.modality == 'camera' else step.events
        if image is not None or events is not None:
            self.mask = self.segmenter.step(image, step_s, events=events).mask
        if step.measured:
            self.matrix.update(self.mask, step.label)
            self.frames += 1

    def figures(self) -> dict:
        return {'frames': self.frames, **self.matrix.figures(self.segmenter.classes.names)}


def measure(segmenter: Segmenter, conditions: tuple[str, ...], modalities: tuple[str, ...],
            first_seed: int, seeds: int, frames: int, rate_hz: float, data_hash: DataHash
            ) -> dict[str, dict[str, dict]]:
    """
    Measure streams of one step for each frame.

    :param segmenter: the network; the stream itself does not step.
    :param conditions: conditions to measure under, see :func:`drive`.
    :param modalities: 'camera', 'events' or 'fusion': sensors of the streams to compare.
    :param first_seed: seed of the first drive.
    :param seeds: number of drives.
    :param frames: steps of each drive.
    :param rate_hz: steps per second.
    :param data_hash: hash to add event times and truth to.
    :returns: by condition and modality ``miou``, ``pixel_accuracy``, ``frames`` and ``iou`` by
        class name (None for a class that does not occur).
    :raises ValueError: the weights lack a sensor, or there is nothing to measure.
    """
    needed = {sensor for modality in modalities for sensor in SENSORS[modality]}
    if unsupported := needed - set(segmenter.sensors):
        raise ValueError(f'the weights {segmenter.name!r} take no input of {unsupported.pop()}: '
                         f'choose --sensors {segmenter.modality}, or weights for both sensors')
    if min(seeds, frames) < 1 or not 0 < rate_hz < float('inf'):
        raise ValueError(f'{seeds} drives of {frames} frames at {rate_hz} Hz: give at least 1 of '
                         'each, and a rate above 0')
    results = {}
    for condition in conditions:
        evaluations = [_ModalityEvaluation(modality, segmenter) for modality in modalities]
        for seed in range(first_seed, first_seed + seeds):
            for evaluation in evaluations:
                evaluation.start()
            for step in drive(seed, condition, frames, segmenter.input_size, rate_hz):
                data_hash.add(step.label)
                data_hash.add(step.events.events.t)
                for evaluation in evaluations:
                    evaluation.add(step, 1 / rate_hz)
        results[condition] = {each.modality: each.figures() for each in evaluations}
    return results


def table(results: dict[str, dict[str, dict]]) -> str:
    """Lay out the mIoU as text, with a row for each condition."""
    return text_table([
        ['mIoU, stream@1', *next(iter(results.values()))],
        *([condition, *(cell(figures['miou'], '.2f', 100, ' %') for figures in row.values())]
          for condition, row in results.items())])
