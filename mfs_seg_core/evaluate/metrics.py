# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of masks: mIoU from one confusion matrix, and the per-image score of MFS-Seg's code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mfs_seg_core.labels import UNLABELLED


class ConfusionMatrix:
    """Counts of (true class, predicted class) over all labelled pixels."""

    def __init__(self, classes: int):
        self.classes = classes
        self.counts = np.zeros((classes, classes), np.int64)
        # Pixels of each true class that were predicted as no class.
        self._unpredicted = np.zeros(classes, np.int64)

    def update(self, prediction: np.ndarray, truth: np.ndarray) -> None:
        """
        Count the pixels of a mask.

        :param prediction: uint8, class ids, any shape; an id of no class is always wrong.
        :param truth: uint8, class ids, of the same shape; 255 is not counted.
        :raises ValueError: the shapes differ, or the truth holds an unknown class id.
        """
        if prediction.shape != truth.shape:
            raise ValueError(f'the prediction is {prediction.shape}, the truth {truth.shape}: '
                             'they must have one size')
        known = truth != UNLABELLED
        true, predicted = truth[known], prediction[known]
        if true.size and true.max() >= self.classes:
            raise ValueError(f'the truth holds class id {true.max()}, but there are '
                             f'{self.classes} classes and {UNLABELLED} for unlabelled')
        # The last column counts pixels that were predicted as no class.
        index = true.astype(np.int64) * (self.classes + 1) + np.minimum(predicted, self.classes)
        counts = np.bincount(index, minlength=self.classes * (self.classes + 1))
        counts = counts.reshape(self.classes, self.classes + 1)
        self.counts += counts[:, :-1]
        self._unpredicted += counts[:, -1]

    @property
    def iou(self) -> np.ndarray:
        """IoU of each class, float64 ``[K]``; NaN for a class in neither truth nor prediction."""
        union = (self.counts.sum(0) + self.counts.sum(1) + self._unpredicted
                 - self.counts.diagonal())
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
        total = self.counts.sum() + self._unpredicted.sum()
        return float(self.counts.diagonal().sum() / total) if total else float('nan')

    def figures(self, names: Sequence[str]) -> dict:
        """
        Return the scores as values for JSON.

        :param names: names of the classes.
        :returns: ``miou``, ``pixel_accuracy`` and ``iou`` by class name, None for a class that
            does not occur.
        """
        return {'miou': self.miou, 'pixel_accuracy': self.pixel_accuracy,
                'iou': {name: None if np.isnan(iou) else float(iou)
                        for name, iou in zip(names, self.iou)}}


def per_image_score(prediction: np.ndarray, truth: np.ndarray, classes: int) -> float:
    """
    Compute the score that MFS-Seg's published code reports, for one image.

    The score is the mean of d / (2 - d), d the Dice coefficient, over the classes *and unlabelled*.
    A class absent from both masks counts as 1, a class in the prediction alone as 0. The score may
    lie above or below the usual mIoU: use it only to compare with figures of that code.

    :param prediction: uint8, class ids.
    :param truth: uint8, class ids and 255, of the same shape.
    :param classes: number of classes.
    :returns: the score, 0 to 1.
    """
    scores = []
    for label in (*range(classes), UNLABELLED):
        predicted, true = prediction == label, truth == label
        total = predicted.sum() + true.sum()
        dice = 2 * (predicted & true).sum() / total if total else 1.0
        scores.append(dice / (2 - dice))
    return float(np.mean(scores))
