# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Spiking versions of three modules of MIMO-UNet (Cho et al., ICCV 2021): SCM, FAM and AFF."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mfs_seg_core.model.batch_norm import ThresholdBatchNorm
from mfs_seg_core.model.blocks import SpikingConv, Stem
from mfs_seg_core.model.layout import concatenate_channels, per_image, resize
from mfs_seg_core.model.state import Membranes, Neuron, Spiking


class ImageBranch(nn.Module):
    """Current from a smaller copy of the image (SCM), full spike."""

    def __init__(self, inputs: int, outputs: int, spiking: Spiking):
        super().__init__()
        self.stem = Stem(inputs, outputs // 4, spiking)
        self.widen = SpikingConv(outputs // 4, outputs // 2, spiking)
        self.mix = SpikingConv(outputs // 2, outputs // 2, spiking, kernel=3)
        self.narrow = SpikingConv(outputs // 2, outputs - inputs, spiking)
        self.join = SpikingConv(outputs, outputs, spiking)

    def forward(self, image: Tensor, membranes: Membranes) -> Tensor:
        """Return the current of an image ``[T, B, C, H, W]``."""
        x = self.widen(self.stem(image), membranes)
        x = self.narrow(self.mix(x, membranes), membranes)
        return self.join(concatenate_channels(x, image), membranes)


class Attend(nn.Module):
    """
    Feature attention (FAM) without a product: ``f + conv(min(spikes of f, spikes of z))``.

    For binary spikes the minimum is a logical AND, so the input of the convolution is spikes.
    """

    def __init__(self, channels: int, spiking: Spiking):
        super().__init__()
        self.lif = Neuron(channels, spiking)
        self.image_lif = Neuron(channels, spiking)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = ThresholdBatchNorm(channels, spiking.levels)

    def forward(self, features: Tensor, image: Tensor, membranes: Membranes) -> Tensor:
        """Return the features f, attended by the current z of the image branch."""
        spikes = torch.minimum(membranes.fire(self.lif, features),
                               membranes.fire(self.image_lif, image))
        return features + per_image(lambda y: self.norm(self.conv(y)), spikes)


class Fuse(nn.Module):
    """All scales of the encoder, resized to one and mixed (AFF)."""

    def __init__(self, inputs: int, outputs: int, spiking: Spiking):
        super().__init__()
        self.mix = SpikingConv(inputs, outputs, spiking)
        self.smooth = SpikingConv(outputs, outputs, spiking, kernel=3)

    def forward(self, scales: list[Tensor], size: tuple[int, int], membranes: Membranes) -> Tensor:
        """Return the mixed current at height and width ``size``."""
        x = concatenate_channels(*(resize(scale, size) for scale in scales))
        return self.smooth(self.mix(x, membranes), membranes)
