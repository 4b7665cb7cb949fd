# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Augmentation of a batch of labelled stills on the device that holds them."""

from __future__ import annotations

import torch
from torch import Tensor

from mfs_seg_core.train.campaign.batch import Batch
from mfs_seg_core.train.campaign.look import Looks
from mfs_seg_core.train.campaign.stage import Stage

# Motion of the camera from frame to frame: magnification, and drift in widths of a frame.
ZOOM, DRIFT = 0.03, 0.006
# Classes of CamVid to paste: pole, sign, fence, pedestrian, bicyclist.
RARE = (2, 6, 7, 9, 10)


class DeviceAugment:
    """Random windows, mirroring, rotation, colours, blur and noise, one draw for each image."""

    def __init__(self, stage: Stage, mean: tuple[float, ...], std: tuple[float, ...], device: str):
        """
        Create the constants.

        :param stage: settings of the stage.
        :param mean: mean of the pixels, RGB, 0..1, of the normalisation.
        :param std: standard deviation of the pixels.
        :param device: torch device.
        """
        self.stage, self.device = stage, device
        self.looks = Looks(stage, mean, std, device)
        self.rare = torch.zeros(256, dtype=torch.bool, device=device)
        self.rare[list(RARE)] = True

    def __call__(self, images: Tensor, labels: Tensor) -> Batch:
        """
        Augment a batch.

        :param images: uint8 ``[B, H, W, 3]``, RGB.
        :param labels: uint8 ``[B, H, W]``, class ids, 255 for void.
        :returns: frames of a moving camera, without events.
        """
        looks, count = self.looks, len(images)
        look = looks.draw(count, *images.shape[2:0:-1])
        pixels = looks.centred(images)
        elapsed = 0.5 * 8 ** looks.uniform(count)
        zoom = ZOOM * looks.uniform(count) * elapsed
        drift = DRIFT * elapsed[:, None] * torch.randn(count, 2, device=self.device)
        frames, classes = [], []
        for ago in reversed(range(self.stage.frames)):
            view = look.window.clone()
            view[:, :, :2] *= (1 + ago * zoom)[:, None, None]
            view[:, :, 2] += ago * drift
            grid = looks.grid(view)
            frames.append(looks.pixels(pixels, grid, look))
            classes.append(looks.labels(labels, grid))
        if self.stage.copy_paste:
            frames, classes = self._paste(frames, classes)
        return Batch(looks.normalised(frames), torch.stack(classes), elapsed)

    def _paste(self, frames: list[Tensor], classes: list[Tensor]
               ) -> tuple[list[Tensor], list[Tensor]]:
        """Paste the pixels of rare classes of the image before onto a share of the images."""
        count = len(frames[0])
        chosen = (self.looks.uniform(count) < self.stage.copy_paste).view(count, 1, 1)
        pasted, named = [], []
        for frame, label in zip(frames, classes):
            other = label.roll(1, 0)
            mask = self.rare[other] & chosen
            pasted.append(torch.where(mask[:, None], frame.roll(1, 0), frame))
            named.append(torch.where(mask, other, label))
        return pasted, named
