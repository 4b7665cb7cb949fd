# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Blocks to compare EFS-Res with; they have its interface."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from mfs_seg_core.model.batch_norm import ThresholdBatchNorm
from mfs_seg_core.model.blocks import Conv, EFSRes, SpikingConv
from mfs_seg_core.model.layout import per_image
from mfs_seg_core.model.state import Membranes, Spiking


class MSRes(nn.Module):
    """
    Residual block on a membrane shortcut: ``x + conv3x3(conv3x3(x))``, each a SpikingConv.

    Source: Hu et al. 2024, MS-ResNet. The last norm starts at 0.
    """

    LAST_GAIN = 0.0

    def __init__(self, channels: int, expansion: int, spiking: Spiking, kernel: int = 3):
        """
        Create the two layers of the branch.

        :param channels: channels of input and output.
        :param expansion: unused: the block has no expansion.
        :param spiking: settings of the neurons.
        :param kernel: size of both convolutions.
        """
        super().__init__()
        self.first = SpikingConv(channels, channels, spiking, kernel=kernel)
        self.second = SpikingConv(channels, channels, spiking, kernel=kernel, gain=self.LAST_GAIN)

    def forward(self, x: Tensor, membranes: Membranes) -> Tensor:
        """Return ``x`` plus the branch of ``x``."""
        return x + self.second(self.first(x, membranes), membranes)


class EMSRes(MSRes):
    """MSRes whose last norm starts at 0.2 of the threshold; Su et al. 2023, EMS-YOLO."""

    LAST_GAIN = 0.2


class NoShortcut(EFSRes):
    """The branch of EFS-Res without its shortcut, which degrades with depth."""

    LAST_GAIN = 1.0

    def forward(self, x: Tensor, membranes: Membranes) -> Tensor:
        """Return the branch of ``x``."""
        return self.branch(x, membranes)


class MembraneConv(nn.Module):
    """Convolution of real-valued current, and norm: MACs instead of the ACs of spikes."""

    def __init__(self, inputs: int, outputs: int, spiking: Spiking, kernel: int = 1,
                 stride: int = 1):
        super().__init__()
        self.conv = Conv(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
        self.norm = ThresholdBatchNorm(outputs, spiking.levels)

    def forward(self, x: Tensor, membranes: Membranes) -> Tensor:
        """Convolve the current; ``membranes`` is unused."""
        return per_image(lambda y: self.norm(self.conv(y)), x)


BLOCKS = {
    'efs_res': EFSRes,
    'efs_res_dense': partial(EFSRes, separable=False),
    'ms_res': MSRes,
    'ems_res': EMSRes,
    'plain': NoShortcut,
}
