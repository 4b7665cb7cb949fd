# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of masks: mIoU from one confusion matrix, and the per-image score of MFS-Seg's code."""

from __future__ import annotations

import numpy as np

from mfs_seg_core.labels import UNLABELLED


class ConfusionMatrix:
    """Counts of (true class, predicted class) over all pixels given so far that have a truth."""

    def __init__(self, classes: int):
        self.classes = classes
        self.counts = np.zeros((classes, classes), np.int64)
        self._missed = np.zeros(classes, np.int64)

    def update(self, prediction: np.ndarray, truth: np.ndarray) -> None:
        """
        Count the pixels of a mask.

        :param prediction: uint8, class ids, any shape; an id that is no class is always wrong.
        :param truth: uint8, class ids, of the same shape; 255 is not counted.
        """
        if prediction.shape != truth.shape:
            raise ValueError(f'the prediction is {prediction.shape}, the truth {truth.shape}: '
                             'they must have one size')
        known = truth != UNLABELLED
        true, predicted = truth[known], prediction[known]
        if true.size and true.max() >= self.classes:
            raise ValueError(f'the truth holds class id {true.max()}, but there are '
                             f'{self.classes} classes and {UNLABELLED} for unlabelled')
        # One column more takes what is predicted as no class at all.
        index = true.astype(np.int64) * (self.classes + 1) + np.minimum(predicted, self.classes)
        counts = np.bincount(index, minlength=self.classes * (self.classes + 1))
        counts = counts.reshape(self.classes, self.classes + 1)
        self.counts += counts[:, :-1]
        self._missed += counts[:, -1]

    @property
    def iou(self) -> np.ndarray:
        """Intersection over union, float64 ``[K]``; NaN for a class neither there nor predicted."""
        union = self.counts.sum(0) + self.counts.sum(1) + self._missed - self.counts.diagonal()
        with np.errstate(invalid='ignore'):
            return self.counts.diagonal() / np.where(union > 0, union, np.nan)

    @property
    def miou(self) -> float:
        """Mean of the classes' IoU; NaN when nothing was counted."""
        iou = self.iou
        return float(np.nanmean(iou)) if np.isfinite(iou).any() else float('nan')

    @property
    def pixel_accuracy(self) -> float:
        """Share of the counted pixels that are right; NaN when nothing was counted."""
        total = self.counts.sum() + self._missed.sum()
        return float(self.counts.diagonal().sum() / total) if total else float('nan')


def per_image_score(prediction: np.ndarray, truth: np.ndarray, classes: int) -> float:
    """
    Give the score that MFS-Seg's published code reports, for one image.

    The mean of d / (2 - d), d the Dice coefficient, over the classes *and unlabelled*, where a
    class absent from both counts as 1, and one that is in the mask alone as 0. It lies above the
    usual mIoU or below it: use it only to compare with figures of that code.

    :param prediction: uint8, class ids.
    :param truth: uint8, class ids and 255, of the same shape.
    """
    scores = []
    for label in (*range(classes), UNLABELLED):
        ours, theirs = prediction == label, truth == label
        total = ours.sum() + theirs.sum()
        dice = 2 * (ours & theirs).sum() / total if total else 1.0
        scores.append(dice / (2 - dice))
    return float(np.mean(scores))
