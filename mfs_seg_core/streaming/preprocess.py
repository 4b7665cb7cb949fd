# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Network inputs from pixels, and masks from class scores."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mfs_seg_core.weights.metadata import Metadata


def normalise(images: Tensor, metadata: Metadata) -> Tensor:
    """
    Normalise pixels by the mean and standard deviation of the training images.

    :param images: ``[..., 3, H, W]``, 0..255, RGB.
    :param metadata: description of the weights, with mean and standard deviation.
    :returns: float32 of the same shape.
    """
    mean, std = (torch.tensor(values, device=images.device).view(3, 1, 1) * 255
                 for values in (metadata.mean, metadata.std))
    return (images.float() - mean) / std


def resize_images(images: Tensor, size: tuple[int, int]) -> Tensor:
    """
    Resize with anti-aliasing, as in training.

    :param images: uint8 ``[B, 3, H, W]``.
    :param size: width and height.
    :returns: uint8 ``[B, 3, h, w]`` of that size.
    """
    if tuple(images.shape[-2:]) == (size[1], size[0]):
        return images
    return functional.interpolate(images, size=(size[1], size[0]), mode='bilinear', antialias=True)


def mask_of(scores: Tensor, size: tuple[int, int], confidence: bool
            ) -> tuple[np.ndarray, np.ndarray | None]:
    """
    Return the class of the highest score of each pixel, and its probability if requested.

    :param scores: class scores ``[1, K, h, w]``.
    :param size: height H and width W of the mask.
    :param confidence: return the probability too.
    :returns: uint8 ``[H, W]`` of class ids; None, or uint8 ``[H, W]`` of 255 times the probability.
    """
    # Scores are interpolated to at most twice the network's size, and the mask is enlarged from
    # there: beyond, the cost grows with the camera's pixels and the mask no longer improves.
    fine = [min(wanted, 2 * given) for wanted, given in zip(size, scores.shape[-2:])]
    if fine != list(scores.shape[-2:]):
        scores = functional.interpolate(scores, size=fine, mode='bilinear')

    def enlarge(x: Tensor) -> np.ndarray:
        return functional.interpolate(x, size=size, mode='nearest')[0, 0].cpu().numpy()

    if not confidence:
        # argmax takes several times as long on a CPU.
        return enlarge(scores.max(1, keepdim=True).indices.byte()), None
    probability, ids = scores.softmax(1).max(1, keepdim=True)
    return enlarge(ids.byte()), enlarge((probability * 255).round().byte())
