# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CamVid as the data of a stage: augmented batches, and frames to validate on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.train.campaign.augment import DeviceAugment
from mfs_seg_core.train.campaign.batch import Batch
from mfs_seg_core.train.campaign.frames import DeviceFrames
from mfs_seg_core.train.campaign.stage import Stage
from mfs_seg_core.train.campaign.validate import pixels, validate
from mfs_seg_core.util.provenance import DataHash
from mfs_seg_core.weights.metadata import Metadata


class Stills:
    """Batches of augmented stills of CamVid; a place is an image."""

    images_per_place = 1

    def __init__(self, stage: Stage, root: str, metadata: Metadata, device: str):
        """
        Decode the images.

        :param stage: settings of the stage.
        :param root: folder of CamVid.
        :param metadata: normalisation of the network.
        :param device: torch device.
        :raises ValueError: no frame is left, or a file cannot be read.
        """
        self.stage, self.metadata, self.device = stage, metadata, device
        self.frames = DeviceFrames(root, stage.train_splits, stage.size, device,
                                   without=stage.without_drives)
        self.augment = DeviceAugment(stage, metadata.mean, metadata.std, device)

    def __len__(self) -> int:
        return len(self.frames)

    def __call__(self, index: Tensor) -> Batch:
        """Return the augmented batch of some images, int64 ``[B]``."""
        return self.augment(self.frames.images[index], self.frames.labels[index])

    def order(self, steps: int) -> Tensor:
        """Return the images of all batches: one permutation of the data after another."""
        random = torch.Generator().manual_seed(self.stage.seed)
        count = steps * self.stage.batch_size
        rounds = -(-count // len(self))
        return torch.cat([torch.randperm(len(self), generator=random)
                          for _ in range(rounds)])[:count].to(self.device)

    def class_weights(self, classes: int) -> Tensor:
        """Return the weight of each class in the loss, float32 ``[K]``."""
        return self.frames.class_weights(classes)

    def samples(self, count: int) -> tuple[Tensor, None]:
        """Return up to ``count`` normalised images ``[N, 3, H, W]``, evenly spaced."""
        chosen = torch.linspace(0, len(self) - 1, min(count, len(self)), device=self.device).long()
        return pixels(self.frames.images[chosen], self.metadata), None

    def add_to(self, data: DataHash) -> None:
        """Add images and labels to a hash."""
        self.frames.add_to(data)


class StillsHeldOut:
    """Frames of CamVid to validate on."""

    def __init__(self, stage: Stage, root: str, metadata: Metadata, device: str):
        self.metadata = metadata
        self.frames = DeviceFrames(root, [stage.val_split], stage.size, device, stage.val_drives,
                                   resize_labels=False)

    def __len__(self) -> int:
        return len(self.frames)

    def measure(self, network: nn.Module, stream: bool) -> dict[str, ConfusionMatrix]:
        """
        Compare masks with the truth.

        :param network: network in evaluation mode.
        :param stream: keep the state along each drive; False: each frame from rest.
        :returns: 'reset@1' or 'stream@1'.
        """
        return {'stream@1' if stream else 'reset@1': validate(
            network, self.frames, self.metadata, stream)}

    def add_to(self, data: DataHash) -> None:
        """Add images and labels to a hash."""
        self.frames.add_to(data)
