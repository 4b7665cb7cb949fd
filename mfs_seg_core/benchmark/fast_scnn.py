# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Fast-SCNN: a small network for real-time segmentation, to compare speed with.

Poudel, Liwicki and Cipolla, BMVC 2019, written from the paper's table: two branches that share
their first layers, 1.1 M parameters. Weights are random, as speed does not depend on them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# Channels, repetitions and first stride of the bottlenecks, each with expansion 6.
BOTTLENECKS = ((64, 3, 2), (96, 3, 2), (128, 3, 1))
EXPANSION = 6
POOLED = (1, 2, 3, 6)


def _conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1,
          dilation: int = 1, active: bool = True) -> nn.Sequential:
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, dilation * (kernel // 2), dilation, groups,
                        bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if active else nn.Sequential(*layers)


def _separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(_conv(inputs, inputs, 3, stride, groups=inputs), _conv(inputs, outputs))


class _Bottleneck(nn.Module):
    """Inverted residual of MobileNetV2."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        hidden = EXPANSION * inputs
        self.layers = nn.Sequential(
            _conv(inputs, hidden), _conv(hidden, hidden, 3, stride, groups=hidden),
            _conv(hidden, outputs, active=False))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.residual else self.layers(x)


class _PyramidPooling(nn.Module):
    """Means over grids of several sizes, beside the input."""

    def __init__(self, channels: int):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(bins), _conv(channels, channels // len(POOLED)))
            for bins in POOLED)
        self.join = _conv(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        pooled = [functional.interpolate(branch(x), size=x.shape[-2:], mode='bilinear')
                  for branch in self.branches]
        return self.join(torch.cat([x, *pooled], 1))


class FastSCNN(nn.Module):
    """The network: images ``[B, 3, H, W]`` to class scores ``[B, K, H, W]``."""

    def __init__(self, classes: int):
        """
        Create a network with random weights.

        :param classes: number of classes K.
        """
        super().__init__()
        self.shared = nn.Sequential(_conv(3, 32, 3, 2), _separable(32, 48, 2),
                                    _separable(48, 64, 2))
        layers, inputs = [], 64
        for outputs, count, stride in BOTTLENECKS:
            for index in range(count):
                layers.append(_Bottleneck(inputs, outputs, 1 if index else stride))
                inputs = outputs
        self.context = nn.Sequential(*layers, _PyramidPooling(inputs))
        self.coarse = nn.Sequential(_conv(128, 128, 3, groups=128, dilation=4),
                                    _conv(128, 128, active=False))
        self.fine = _conv(64, 128, active=False)
        self.classifier = nn.Sequential(_separable(128, 128), _separable(128, 128),
                                        nn.Conv2d(128, classes, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return the class scores."""
        fine = self.shared(images)
        coarse = functional.interpolate(self.context(fine), size=fine.shape[-2:], mode='bilinear')
        joined = functional.relu(self.fine(fine) + self.coarse(coarse))
        return functional.interpolate(self.classifier(joined), size=images.shape[-2:],
                                      mode='bilinear')
