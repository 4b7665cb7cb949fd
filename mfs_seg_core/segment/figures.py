# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of an input: shares of the classes over time, and mIoU where there is truth."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np

from mfs_seg_core.class_groups import ClassGroups
from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.labels import UNLABELLED, ClassSet
from mfs_seg_core.segment.steps import StepHeader
from mfs_seg_core.util.files import write_whole


class Figures:
    """
    Counts the pixels of the classes in masks, and compares masks with labels.

    :param classes: classes of the labels, and of the masks.
    :param groups: groups that the masks have instead, and that labels get; None: none.
    """

    def __init__(self, classes: ClassSet, groups: ClassGroups | None = None):
        self._label_classes, self._groups = classes, groups
        classes = groups.classes if groups else classes
        self._classes = classes
        self._pixels = np.zeros(256, np.int64)
        self._matrix = ConfusionMatrix(len(classes))
        self._labels = 0
        self._other_labels = 0
        self._rows: list[list[str]] = []
        self._start_ns: int | None = None
        self._time_s = 0.0

    def add(self, name: str, header: StepHeader, mask: np.ndarray) -> None:
        """
        Add a mask.

        :param name: name of its file.
        :param header: stamp and label of its step.
        :param mask: uint8 ``[H, W]`` of class or group ids.
        """
        counts = np.bincount(mask.ravel(), minlength=256)
        self._pixels += counts
        self._start_ns = header.stamp_ns if self._start_ns is None else self._start_ns
        self._time_s = (header.stamp_ns - self._start_ns) / 1e9
        shares = counts[[*range(len(self._classes)), UNLABELLED]] / mask.size
        self._rows.append([name, str(header.stamp_ns), f'{self._time_s:.6f}',
                           *(f'{share:.6f}' for share in shares)])
        if header.label is not None:
            self._compare(mask, header.label)

    def _compare(self, mask: np.ndarray, label: np.ndarray) -> None:
        known = label[label != UNLABELLED]
        if label.shape != mask.shape or known.size and known.max() >= len(self._label_classes):
            self._other_labels += 1
            return
        self._matrix.update(mask, self._groups.apply(label) if self._groups else label)
        self._labels += 1

    @property
    def remark(self) -> str:
        """Sentence on labels that cannot be compared; empty: there are none."""
        if not self._other_labels:
            return ''
        return (f'{self._other_labels} labels have another size or other classes than the masks, '
                f'and are not scored: give labels of {", ".join(self._label_classes.names)}.')

    def write_csv(self, path: Path) -> None:
        """
        Write a row for each mask: file, stamp, seconds, share of each class and of no class.

        :param path: path of the file.
        :raises OSError: it cannot be written; one sentence.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator='\n')
        writer.writerow(['name', 'stamp_ns', 'time_s', *self._classes.names, 'unlabelled'])
        writer.writerows(self._rows)
        write_whole(path, text.getvalue().encode())

    def summary(self) -> dict[str, Any]:
        """Return the figures as values for JSON."""
        total = max(1, int(self._pixels.sum()))
        found = {'masks': len(self._rows), 'duration_s': round(self._time_s, 6),
                 'shares': {name: round(int(self._pixels[number]) / total, 6)
                            for number, name in self._classes.named_ids()},
                 'masks_with_truth': self._labels}
        if self._labels:
            found |= self._matrix.figures(self._classes.names)
        return found
