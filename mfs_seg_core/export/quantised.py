# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network that a program of the native engine computes: its weights rounded to 8 bits."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from mfs_seg_core.engine.weights import quantise
from mfs_seg_core.export.step import StepNetwork
from mfs_seg_core.model.blocks import Stem


def quantised(step: StepNetwork) -> StepNetwork:
    """
    Return a copy whose convolutions of spikes have the weights of the engine.

    :param step: the network.
    :returns: the copy.
    """
    copy = deepcopy(step)
    for module in copy.network.modules():
        # The stem takes real numbers, and keeps its weights.
        if hasattr(module, 'conv') and not isinstance(module, Stem):
            _round(module.conv)
    return copy


def _round(conv: nn.Module) -> None:
    """Round the weights of a convolution to 8 bits, in place."""
    if isinstance(conv, nn.ConvTranspose2d):
        # Each pixel that it makes of one has a scale of its own: [C, N, k, k] as [N, k, k, C].
        rows = conv.weight.permute(1, 2, 3, 0)
        conv.weight.copy_(_rounded(rows.flatten(0, 2)).view(rows.shape).permute(3, 0, 1, 2))
    else:
        conv.weight.copy_(_rounded(conv.weight))


def _rounded(weight: Tensor) -> Tensor:
    integers, scale = quantise(weight.numpy())
    return torch.from_numpy(integers) * torch.from_numpy(scale).view(-1, *[1] * (weight.ndim - 1))
