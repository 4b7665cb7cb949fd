# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
U-Net: the artificial network that the paper compares its spiking network with.

Ronneberger et al., MICCAI 2015, in today's common form: padded convolutions, so that the scores
have the size of the image, each with batch norm, and transposed convolutions to enlarge. That
makes 31.04 M parameters for 12 classes, 31 times the 1.0 M of 'paper', as the paper claims;
bilinear enlargement, which also halves the deepest channels, would make 17.3 M.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from mfs_seg_core.model.state import State
from mfs_seg_core.model.stateful import Prediction
from mfs_seg_core.model.unet_config import UNetConfig

SCALES = 5


class UNet(nn.Module):
    """
    Four halvings of the image and back, features of equal size joined on the way up.

    It has the interface of MFSSeg, so that it trains and runs in its place, but no time and no
    state.
    """

    def __init__(self, config: UNetConfig):
        super().__init__()
        self.config = config
        widths = [config.width * 2 ** scale for scale in range(SCALES)]
        self.encoder = nn.ModuleList(
            _twice(inputs, outputs) for inputs, outputs in zip([config.inputs, *widths], widths))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * fine, fine, 2, stride=2) for fine in widths[:-1])
        self.decoder = nn.ModuleList(_twice(2 * fine, fine) for fine in widths[:-1])
        self.head = nn.Conv2d(config.width, config.classes, 1)

    def forward(self, images: Tensor, state: State | None = None, rates: bool = False,
                elapsed: float | Tensor = 1.0, events: None = None, present: None = None
                ) -> Prediction:
        """
        Return the class scores of every pixel.

        :param images: ``[T, B, C, H, W]``, normalised pixels, of any size.
        :param state: unused.
        :param rates: unused: there are no spikes.
        :param elapsed: unused.
        :param events: unused.
        :param present: unused.
        :returns: class scores ``[T, B, K, H, W]`` at full scale; no state, no firing rates.
        """
        scores = self._score(images.flatten(0, 1)).unflatten(0, images.shape[:2])
        return Prediction((scores,), {}, {})

    def _score(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        # Pad to whole pixels at the smallest size, by repeating the edge; crop the scores again.
        multiple = 2 ** (SCALES - 1)
        x = functional.pad(images, (0, -width % multiple, 0, -height % multiple), 'replicate')
        encoded = []
        for block in self.encoder:
            x = block(functional.max_pool2d(x, 2) if encoded else x)
            encoded.append(x)
        for scale in reversed(range(SCALES - 1)):
            x = self.decoder[scale](torch.cat([encoded[scale], self.up[scale](x)], dim=1))
        return self.head(x)[..., :height, :width]


def _twice(inputs: int, outputs: int) -> nn.Sequential:
    """Return two times 3x3 convolution, batch norm (which makes a bias useless) and ReLU."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False),
                   nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
