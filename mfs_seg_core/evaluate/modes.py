# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Measure weights on sequences of labelled frames, in several modes.

- reset@1: one step for each frame, from rest: a network without state;
- repeat@N: N steps of the same frame, from rest: the usual evaluation of a spiking network;
- stream@1: one step for each frame, the state kept: the mode of the node.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mfs_seg_core.data.sequences import LabelledFrame
from mfs_seg_core.evaluate.metrics import ConfusionMatrix, per_image_score
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.util.provenance import DataHash
from mfs_seg_core.util.table import cell, text_table

MODES = ('reset', 'repeat', 'stream')


class _ModeEvaluation:
    """One mode: its stream and its scores so far."""

    def __init__(self, mode: str, steps: int, segmenter: Segmenter):
        self.mode, self.steps = mode, steps
        self.name = f'{mode}@{steps}'
        self.segmenter = segmenter.sibling()
        self.matrix = ConfusionMatrix(len(segmenter.classes))
        self.scores: list[float] = []
        self.rates: list[float] = []

    def add(self, image: np.ndarray, label: np.ndarray | None, step_s: float | None) -> None:
        """Segment a frame and score its mask; one without a label advances the state only."""
        if label is None:
            if self.mode == 'stream':
                self.segmenter.step(image, step_s)
            return
        if self.mode != 'stream':
            self.segmenter.reset()
            step_s = None
        for _ in range(self.steps):
            result = self.segmenter.step(image, step_s, firing_rate=True)
            if result.firing_rate is not None:
                self.rates.append(result.firing_rate)
        self.matrix.update(result.mask, label)
        self.scores.append(per_image_score(result.mask, label, len(self.segmenter.classes)))

    def figures(self) -> dict:
        return {
            'frames': len(self.scores),
            'per_image_score': float(np.mean(self.scores)),
            'firing_rate': float(np.mean(self.rates)) if self.rates else None,
            **self.matrix.figures(self.segmenter.classes.names),
        }


def evaluate(segmenter: Segmenter, sequences: Iterable[Iterable[LabelledFrame]],
             modes: Iterable[str] = MODES, steps: int = 4, data_hash: DataHash | None = None
             ) -> dict[str, dict]:
    """
    Compare masks with the truth, at the resolution of the truth.

    :param segmenter: the network; the stream itself does not step.
    :param sequences: frames by sequence; each sequence starts from rest.
    :param modes: 'reset', 'repeat' or 'stream'.
    :param steps: N of repeat@N.
    :param data_hash: hash to add frames and truth to.
    :returns: by mode ('stream@1'): ``frames``, ``miou``, ``pixel_accuracy``, ``per_image_score``,
        ``firing_rate`` (None without spikes) and ``iou`` by class name (None for a class that does
        not occur).
    :raises ValueError: there is no frame.
    """
    evaluations = [_ModeEvaluation(mode, steps if mode == 'repeat' else 1, segmenter)
                   for mode in modes]
    for sequence in sequences:
        for evaluation in evaluations:
            evaluation.segmenter.reset()
        for image, label, step_s in sequence:
            if data_hash:
                data_hash.add(image)
                data_hash.add(label)
            for evaluation in evaluations:
                evaluation.add(image, label, step_s)
    if not evaluations[0].scores:
        raise ValueError('there is no frame to evaluate: ask for at least one')
    return {evaluation.name: evaluation.figures() for evaluation in evaluations}


def table(results: dict[str, dict]) -> str:
    """Lay out the results as text, with a column for each mode."""
    columns = list(results.values())

    def row(title: str, values: Iterable[float | None], form: str = '.2f', scale: float = 100,
            unit: str = ' %') -> list[str]:
        return [title, *(cell(value, form, scale, unit) for value in values)]

    return text_table([
        ['', *results],
        *(row(name, [column['iou'][name] for column in columns]) for name in columns[0]['iou']),
        [],
        *(row(title, [column[key] for column in columns]) for title, key in (
            ('mIoU (global)', 'miou'), ('pixel accuracy', 'pixel_accuracy'),
            ('per-image score', 'per_image_score'))),
        row('firing rate', [column['firing_rate'] for column in columns], '.3f', 1, ''),
        row('frames', [column['frames'] for column in columns], 'd', 1, ''),
    ])
