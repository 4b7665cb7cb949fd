# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Augmentation of a batch of labelled stills on the device that holds them."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from mfs_seg_core.labels import UNLABELLED
from mfs_seg_core.train.campaign.stage import Stage

ROTATION = math.radians(3)
ASPECT = 0.1
# Motion of the camera from frame to frame: magnification, and drift in widths of a frame.
ZOOM, DRIFT = 0.03, 0.006
GREY = (0.299, 0.587, 0.114)
# Classes of CamVid to paste: pole, sign, fence, pedestrian, bicyclist.
RARE = (2, 6, 7, 9, 10)


class DeviceAugment:
    """
    Random windows, mirroring, rotation, colours, blur and noise, one draw for each image.

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
        self.rare = torch.zeros(256, dtype=torch.bool, device=device)
        self.rare[list(RARE)] = True
        blur = torch.tensor([1.0, 2.0, 1.0], device=device)
        self.blur = (blur[:, None] * blur / 16).expand(3, 1, 3, 3).contiguous()

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """
        Augment a batch.

        :param images: uint8 ``[B, H, W, 3]``, RGB.
        :param labels: uint8 ``[B, H, W]``, class ids, 255 for void.
        :returns: normalised pixels ``[T, B, 3, h, w]``, channels last in memory; class ids int64
            ``[T, B, h, w]``; times between the frames in nominal steps, ``[B]``.
        """
        pixels = images.permute(0, 3, 1, 2).float() / 255
        # Zeros beyond the frame become void, grey pixels its mean.
        pixels = pixels - self.mean
        ids = labels[:, None].float() - UNLABELLED
        count, (height, width) = len(images), labels.shape[1:]
        window = self._window(count, width, height)
        elapsed = 0.5 * 8 ** self._uniform(count)
        zoom = ZOOM * self._uniform(count) * elapsed
        drift = DRIFT * elapsed[:, None] * torch.randn(count, 2, device=self.device)
        recolour = self._colours(count)
        crop = (count, 3, self.stage.crop[1], self.stage.crop[0])
        frames, classes = [], []
        for ago in reversed(range(self.stage.frames)):
            view = window.clone()
            view[:, :, :2] *= (1 + ago * zoom)[:, None, None]
            view[:, :, 2] += ago * drift
            grid = functional.affine_grid(view, crop, align_corners=False)
            frame = functional.grid_sample(pixels, grid, align_corners=False)
            label = functional.grid_sample(ids, grid, 'nearest', align_corners=False)
            frames.append(self._degrade(recolour(frame + self.mean)))
            classes.append((label + UNLABELLED).round().long()[:, 0])
        if self.stage.copy_paste:
            frames, classes = self._paste(frames, classes)
        # Stacked with the channels first, the steps would not be channels last.
        batch = torch.stack([((frame - self.mean) / self.std).permute(0, 2, 3, 1)
                             for frame in frames]).permute(0, 1, 4, 2, 3)
        return batch, torch.stack(classes), elapsed

    def _uniform(self, count: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return low + (high - low) * torch.rand(count, device=self.device)

    def _window(self, count: int, width: int, height: int) -> Tensor:
        """Return affine maps ``[B, 2, 3]`` of the windows, in half widths and heights."""
        low, high = (math.log(value) for value in self.stage.scale)
        scale = torch.exp(self._uniform(count, low, high))
        aspect = torch.exp(self._uniform(count, -ASPECT, ASPECT))
        x = self.stage.crop[0] / width / scale * aspect
        y = self.stage.crop[1] / height / scale / aspect
        turn = self._uniform(count, -ROTATION, ROTATION)
        flip = torch.sign(self._uniform(count, -1, 1))
        ratio = height / width
        return torch.stack([
            torch.stack([flip * x * turn.cos(), -y * turn.sin() * ratio,
                         (1 - x).abs() * self._uniform(count, -1, 1)], 1),
            torch.stack([flip * x * turn.sin() / ratio, y * turn.cos(),
                         (1 - y).abs() * self._uniform(count, -1, 1)], 1)], 1)

    def _colours(self, count: int):
        """Return a function that changes brightness, contrast, gamma, saturation and balance."""
        strength = self.stage.colour

        def factor(reach: float, channels: int = 1) -> Tensor:
            draw = self._uniform(count * channels, -1, 1).view(count, channels, 1, 1)
            return torch.exp(strength * reach * draw)

        saturation, gain, balance, gamma = factor(0.5), factor(0.3), factor(0.1, 3), factor(0.4)
        offset = strength * 0.1 * self._uniform(count, -1, 1).view(count, 1, 1, 1)

        def recolour(x: Tensor) -> Tensor:
            grey = (x * self.grey).sum(1, keepdim=True)
            x = grey + saturation * (x - grey)
            return (x.clamp(1e-4, 1) ** gamma * gain * balance + offset).clamp(0, 1)

        return recolour

    def _degrade(self, x: Tensor) -> Tensor:
        """Blur or sharpen a third of the images, and add noise to all."""
        count = len(x)
        amount = self._uniform(count, -0.7, 1.0) * (self._uniform(count) < 0.33)
        soft = functional.conv2d(x, self.blur, padding=1, groups=3)
        x = x + self.stage.colour * amount.view(count, 1, 1, 1) * (soft - x)
        noise = self.stage.colour * 0.03 * self._uniform(count).view(count, 1, 1, 1) ** 2
        return x + noise * torch.randn_like(x)

    def _paste(self, frames: list[Tensor], classes: list[Tensor]
               ) -> tuple[list[Tensor], list[Tensor]]:
        """Paste the pixels of rare classes of the image before onto a share of the images."""
        count = len(frames[0])
        chosen = (self._uniform(count) < self.stage.copy_paste).view(count, 1, 1)
        pasted, named = [], []
        for frame, label in zip(frames, classes):
            other = label.roll(1, 0)
            mask = self.rare[other] & chosen
            pasted.append(torch.where(mask[:, None], frame.roll(1, 0), frame))
            named.append(torch.where(mask, other, label))
        return pasted, named
