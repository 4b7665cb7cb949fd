# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Look of a training image: its window of the frame, colours, sharpness and noise."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from mfs_seg_core.labels import UNLABELLED
from mfs_seg_core.train.campaign.stage import Stage

ROTATION = math.radians(3)
ASPECT = 0.1
GREY = (0.299, 0.587, 0.114)
# Share of the images that are blurred or sharpened.
DEGRADED = 0.33


class Look(NamedTuple):
    """
    Random numbers of B images.

    - ``window``: affine maps ``[B, 2, 3]``, in half widths and heights of a frame;
    - ``saturation``, ``gain``, ``gamma``, ``offset``: ``[B, 1, 1, 1]``; ``balance``:
      ``[B, 3, 1, 1]``;
    - ``blur``: 1 for a blurred image, below 0 for a sharpened one, ``[B, 1, 1, 1]``;
    - ``noise``: standard deviation of the noise of the pixels, ``[B, 1, 1, 1]``.
    """

    window: Tensor
    saturation: Tensor
    gain: Tensor
    balance: Tensor
    gamma: Tensor
    offset: Tensor
    blur: Tensor
    noise: Tensor


class Looks:
    """
    Draws looks and applies them, on the device that holds the images.

    All random numbers come from torch's generator of the device, so that a CUDA graph of a
    training step draws new ones at each replay.
    """

    def __init__(self, stage: Stage, mean: tuple[float, ...], std: tuple[float, ...], device: str):
        """
        Create the constants.

        :param stage: settings of the stage.
        :param mean: mean of the pixels, RGB, 0..1, of the normalisation.
        :param std: standard deviation of the pixels.
        :param device: torch device.
        """
        self.stage, self.device = stage, device
        self.mean = torch.tensor(mean, device=device).view(1, 3, 1, 1)
        self.std = torch.tensor(std, device=device).view(1, 3, 1, 1)
        self.grey = torch.tensor(GREY, device=device).view(1, 3, 1, 1)
        blur = torch.tensor([1.0, 2.0, 1.0], device=device)
        self.blur = (blur[:, None] * blur / 16).expand(3, 1, 3, 3).contiguous()

    def uniform(self, count: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Return uniform random numbers ``[count]``."""
        return low + (high - low) * torch.rand(count, device=self.device)

    def draw(self, count: int, width: int, height: int) -> Look:
        """
        Draw the looks of a batch.

        :param count: number of images.
        :param width: width of whole frames, in pixels.
        :param height: height of whole frames.
        :returns: one look for each image.
        """
        strength = self.stage.colour

        def factor(reach: float, channels: int = 1) -> Tensor:
            draw = self.uniform(count * channels, -1, 1).view(count, channels, 1, 1)
            return torch.exp(strength * reach * draw)

        def column(values: Tensor) -> Tensor:
            return strength * values.view(count, 1, 1, 1)

        return Look(self._window(count, width, height), factor(0.5), factor(0.3), factor(0.1, 3),
                    factor(0.4), column(0.1 * self.uniform(count, -1, 1)),
                    column(self.uniform(count, -0.7, 1.0) * (self.uniform(count) < DEGRADED)),
                    column(0.03 * self.uniform(count) ** 2))

    def _window(self, count: int, width: int, height: int) -> Tensor:
        low, high = (math.log(value) for value in self.stage.scale)
        scale = torch.exp(self.uniform(count, low, high))
        aspect = torch.exp(self.uniform(count, -ASPECT, ASPECT))
        x = self.stage.crop[0] / width / scale * aspect
        y = self.stage.crop[1] / height / scale / aspect
        turn = self.uniform(count, -ROTATION, ROTATION)
        flip = torch.sign(self.uniform(count, -1, 1))
        ratio = height / width
        return torch.stack([
            torch.stack([flip * x * turn.cos(), -y * turn.sin() * ratio,
                         (1 - x).abs() * self.uniform(count, -1, 1)], 1),
            torch.stack([flip * x * turn.sin() / ratio, y * turn.cos(),
                         (1 - y).abs() * self.uniform(count, -1, 1)], 1)], 1)

    def grid(self, window: Tensor) -> Tensor:
        """Return the places of a window's pixels in the frame, ``[B, h, w, 2]``."""
        crop = (len(window), 1, self.stage.crop[1], self.stage.crop[0])
        return functional.affine_grid(window, crop, align_corners=False)

    def pixels(self, images: Tensor, grid: Tensor, look: Look) -> Tensor:
        """
        Cut windows out of frames, and change their colours, sharpness and noise.

        :param images: pixels 0..1 minus their mean, ``[B, 3, H, W]``: zeros beyond the frame are
            the mean.
        :param grid: as returned by :meth:`grid`.
        :param look: looks of the images; their windows are in ``grid``.
        :returns: pixels 0..1, ``[B, 3, h, w]``; noise may exceed the range.
        """
        x = functional.grid_sample(images, grid, align_corners=False) + self.mean
        grey = (x * self.grey).sum(1, keepdim=True)
        x = grey + look.saturation * (x - grey)
        x = (x.clamp(1e-4, 1) ** look.gamma * look.gain * look.balance + look.offset).clamp(0, 1)
        x = x + look.blur * (functional.conv2d(x, self.blur, padding=1, groups=3) - x)
        return x + look.noise * torch.randn_like(x)

    def labels(self, labels: Tensor, grid: Tensor) -> Tensor:
        """Cut windows out of labels, uint8 ``[B, H, W]``; return class ids, int64 ``[B, h, w]``."""
        # Zeros beyond the frame become void.
        ids = labels[:, None].float() - UNLABELLED
        ids = functional.grid_sample(ids, grid, 'nearest', align_corners=False)
        return (ids + UNLABELLED).round().long()[:, 0]

    def centred(self, images: Tensor) -> Tensor:
        """Convert images, uint8 ``[B, H, W, 3]``, to pixels 0..1 minus their mean."""
        return images.permute(0, 3, 1, 2).float() / 255 - self.mean

    def normalised(self, frames: list[Tensor]) -> Tensor:
        """Stack T steps of pixels ``[B, 3, h, w]`` to normalised ones ``[T, B, 3, h, w]``."""
        return stacked([(frame - self.mean) / self.std for frame in frames])


def stacked(frames: list[Tensor]) -> Tensor:
    """Stack T steps ``[B, C, h, w]`` so that each stays channels last in memory."""
    # Stacked with the channels first, the steps would not be channels last.
    return torch.stack([frame.permute(0, 2, 3, 1) for frame in frames]).permute(0, 1, 4, 2, 3)
