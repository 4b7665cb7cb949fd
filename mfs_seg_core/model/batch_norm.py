# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Threshold-dependent batch norm, which scales currents to the threshold of the neurons."""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_reduce

from mfs_seg_core.model.neuron import THRESHOLD


class ThresholdBatchNorm(nn.BatchNorm2d):
    """
    Threshold-dependent batch norm (Zheng et al., AAAI 2021): over T, B, H and W at once.

    The scale starts at ``gain * threshold``, at which some 16 % of binary neurons fire; with D
    levels at sqrt(D) times that, so that all levels occur from the start.

    Processes of a distributed training share their statistics: the result is that of one process
    with all images. (torch's SyncBatchNorm does so on GPUs only.)
    """

    def __init__(self, channels: int, levels: int, gain: float = 1.0):
        """
        Create the norm.

        :param channels: channels of the current.
        :param levels: D of the neurons that follow.
        :param gain: 1 for a layer in series; small for the last of a residual branch, which keeps
            the block near the identity (block dynamical isometry).
        """
        super().__init__(channels)
        nn.init.constant_(self.weight, gain * THRESHOLD * levels ** 0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``[N, C, H, W]``."""
        if not (self.training and distributed.is_available() and distributed.is_initialized()
                and distributed.get_world_size() > 1):
            return super().forward(x)
        values = x.to(torch.promote_types(x.dtype, torch.float32))
        count = values.new_full((1,), values.numel() / values.shape[1])
        sums = torch.cat([values.sum((0, 2, 3)), values.square().sum((0, 2, 3)), count])
        total, squares, count = all_reduce(sums).split([self.num_features, self.num_features, 1])
        mean = total / count
        variance = squares / count - mean.square()
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        return torch.addcmul((self.bias - mean * scale)[:, None, None], x, scale[:, None, None])
