# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loss of class scores at several scales against one label image."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from mfs_seg_core.labels import UNLABELLED
from mfs_seg_core.train import fused


def scale_loss(logits: tuple[Tensor, ...], label: Tensor, scale_weights: tuple[float, ...],
               class_weights: Tensor, fuse: bool = False,
               shared: Callable[[Tensor], Tensor] = lambda pixels: pixels) -> Tensor:
    """
    Return the sum over scales of the mean cross-entropy of a pixel.

    :param logits: class scores ``[T, B, K, h, w]`` of each scale, averaged over T.
    :param label: uint8 ``[B, H, W]``, class ids, 255 = unlabelled.
    :param scale_weights: weight of each scale; of the last ones, if there are more than logits.
    :param class_weights: float32 ``[K]``, weight of each class.
    :param fuse: use the fused pass where it takes the scores.
    :param shared: returns the mean of a number over all processes, which then divide by the same
        number: each pixel has the same weight in the loss.
    :returns: the loss, a scalar.
    """
    total = 0.0
    for weight, scale in zip(scale_weights[-len(logits):], logits):
        # The mean of one step would lose the memory layout.
        scores = scale.squeeze(0) if len(scale) == 1 else scale.mean(0)
        target = functional.interpolate(label[:, None], scores.shape[-2:], mode='nearest')[:, 0]
        measure = fused.cross_entropy if fuse and fused.fits(scores) else _cross_entropy
        loss, pixels = measure(scores, target, class_weights, UNLABELLED)
        total = total + weight * loss / shared(pixels).clamp(min=1)
    return total


def _cross_entropy(scores: Tensor, labels: Tensor, weights: Tensor, ignored: int
                   ) -> tuple[Tensor, Tensor]:
    """Return the sum of the loss over pixels, and that of their weights."""
    labels = labels.long()
    loss = functional.cross_entropy(scores, labels, weights, ignore_index=ignored,
                                    reduction='sum')
    return loss, weights[labels[labels != ignored]].sum()
