# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Validation of a network on frames in the memory of a device."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.labels import UNLABELLED
from mfs_seg_core.streaming.preprocess import normalise
from mfs_seg_core.train.campaign.frames import DeviceFrames
from mfs_seg_core.weights.metadata import Metadata


@torch.inference_mode()
def validate(network: nn.Module, frames: DeviceFrames, metadata: Metadata, stream: bool = False
             ) -> ConfusionMatrix:
    """
    Compare masks with the truth, at its resolution, in float32.

    :param network: network in evaluation mode.
    :param frames: labelled frames.
    :param metadata: normalisation, classes and nominal step of the network.
    :param stream: keep the state along each drive; False: each frame from rest.
    :returns: counts of all pixels.
    """
    counts = torch.zeros(len(metadata.classes) ** 2, dtype=torch.long, device=frames.images.device)
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        if stream:
            for drive in frames.drives():
                state = None
                for index, step_s in drive:
                    elapsed = 1.0 if step_s is None else step_s / metadata.nominal_step
                    part = slice(index, index + 1)
                    prediction = network(pixels(frames.images[part], metadata)[None], state,
                                         elapsed=elapsed)
                    state = prediction.state or None
                    counts += count_pixels(prediction.logits[-1][0], frames.labels[part])
        else:
            for start in range(0, len(frames), 16):
                part = slice(start, start + 16)
                prediction = network(pixels(frames.images[part], metadata)[None])
                counts += count_pixels(prediction.logits[-1][0], frames.labels[part])
    matrix = ConfusionMatrix(len(metadata.classes))
    matrix.counts += counts.view(matrix.counts.shape).cpu().numpy()
    return matrix


def pixels(images: Tensor, metadata: Metadata) -> Tensor:
    """
    Normalise images.

    :param images: uint8 ``[B, H, W, 3]``, RGB.
    :param metadata: mean and standard deviation of the pixels.
    :returns: float32 ``[B, 3, H, W]``, channels last in memory.
    """
    return normalise(images.permute(0, 3, 1, 2), metadata)


def count_pixels(scores: Tensor, labels: Tensor) -> Tensor:
    """
    Count the pixels of each pair of true and predicted class.

    :param scores: class scores ``[B, K, h, w]``.
    :param labels: class ids, uint8 ``[B, H, W]``, 255 for void.
    :returns: int64 ``[K * K]``.
    """
    if scores.shape[-2:] != labels.shape[-2:]:
        scores = functional.interpolate(scores, labels.shape[-2:], mode='bilinear')
    known = labels != UNLABELLED
    pairs = labels[known].long() * scores.shape[1] + scores.argmax(1)[known]
    return torch.bincount(pairs, minlength=scores.shape[1] ** 2)
