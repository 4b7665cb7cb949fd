# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Measure weights on labelled frames, by what a mode sees of a sequence of them.

- reset@1: one step a frame, each from rest: what a network without state would do;
- repeat@N: N steps of the same frame, each from rest: the usual evaluation of a spiking network;
- stream@1: one step a frame, the state kept: what the node does.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mfs_seg_core.data.sequences import LabelledFrame
from mfs_seg_core.evaluate.metrics import ConfusionMatrix, per_image_score
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.util.provenance import DataHash

MODES = ('reset', 'repeat', 'stream')

class _Run:
    """One mode of evaluation: its stream, and what came out so far."""

    def __init__(self, mode: str, steps: int, like: Segmenter):
        self.mode, self.steps = mode, steps
        self.name = f'{mode}@{steps}'
        self.segmenter = like.sibling()
        self.matrix = ConfusionMatrix(len(like.classes))
        self.scores: list[float] = []
        self.rates: list[float] = []

    def see(self, image: np.ndarray, label: np.ndarray, step_s: float | None) -> None:
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
            'miou': self.matrix.miou,
            'pixel_accuracy': self.matrix.pixel_accuracy,
            'per_image_score': float(np.mean(self.scores)),
            'firing_rate': float(np.mean(self.rates)) if self.rates else None,
            'iou': {name: None if np.isnan(iou) else float(iou)
                    for name, iou in zip(self.segmenter.classes.names, self.matrix.iou)},
        }


def evaluate(segmenter: Segmenter, sequences: Iterable[Iterable[LabelledFrame]],
             modes: Iterable[str] = MODES, steps: int = 4, seen: DataHash | None = None
             ) -> dict[str, dict]:
    """
    Compare masks with the truth, at the truth's resolution.

    :param steps: N of repeat@N.
    :param seen: takes in frames and truth.
    :returns: by mode ('stream@1'): ``frames``, ``miou``, ``pixel_accuracy``, ``per_image_score``,
        ``firing_rate`` (None without spikes) and ``iou`` by class name (None for a class that does
        not occur).
    """
    runs = [_Run(mode, steps if mode == 'repeat' else 1, segmenter) for mode in modes]
    for sequence in sequences:
        for run in runs:
            run.segmenter.reset()
        for frame in sequence:
            if seen:
                seen.add(frame[0])
                seen.add(frame[1])
            for run in runs:
                run.see(*frame)
    if not runs[0].scores:
        raise ValueError('there is no frame to evaluate: ask for at least one')
    return {run.name: run.figures() for run in runs}


def table(results: dict[str, dict]) -> str:
    """Lay out the results for people, a column a mode."""
    columns = list(results.values())
    rows = [('', list(results))]
    rows += [(name, [_percent(column['iou'][name]) for column in columns])
             for name in columns[0]['iou']]
    rows += [('', [])]
    rows += [(title, [_percent(column[key]) for column in columns]) for title, key in (
        ('mIoU (global)', 'miou'), ('pixel accuracy', 'pixel_accuracy'),
        ('per-image score', 'per_image_score'))]
    rows += [('firing rate', ['-' if column['firing_rate'] is None else
                              f'{column["firing_rate"]:.3f}' for column in columns]),
             ('frames', [str(column['frames']) for column in columns])]
    return '\n'.join(f'{title:<16}' + ''.join(f'{cell:>12}' for cell in cells)
                     for title, cells in rows)


def _percent(share: float | None) -> str:
    return '-' if share is None else f'{100 * share:.2f} %'
