# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Data of a stage in the memory of a device: batches to train on, and frames to validate on."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from mfs_seg_core.data.camvid import CamVid
from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.train.campaign.batch import Batch
from mfs_seg_core.train.campaign.sequence_batches import SequenceClips
from mfs_seg_core.train.campaign.sequences import DeviceSequences
from mfs_seg_core.train.campaign.stage import Campaign, Stage
from mfs_seg_core.train.campaign.stills import Stills, StillsHeldOut
from mfs_seg_core.train.campaign.validate_sequences import SequencesHeldOut
from mfs_seg_core.util.provenance import DataHash
from mfs_seg_core.weights.metadata import Metadata


class Batches(Protocol):
    """
    Data to train on; its length is the number of places, each an image or a clip.

    - ``images_per_place``: number of images at a place.
    """

    images_per_place: int

    def __len__(self) -> int: ...

    def __call__(self, index: Tensor) -> Batch:
        """Return the augmented batch of the places ``index``, int64 ``[B]``."""

    def order(self, steps: int) -> Tensor:
        """Return the places of all batches, int64 ``[steps * B]``, from the seed of the stage."""

    def class_weights(self, classes: int) -> Tensor:
        """Return the weight of each class in the loss, float32 ``[K]``."""

    def samples(self, count: int) -> tuple[Tensor, Tensor | None]:
        """Return up to ``count`` normalised images ``[N, 3, H, W]``, and event tensors or None."""

    def add_to(self, data: DataHash) -> None:
        """Add the data to a hash."""


class HeldOut(Protocol):
    """Data to validate on; its length is the number of labelled frames."""

    def __len__(self) -> int: ...

    def measure(self, network: torch.nn.Module, stream: bool) -> dict[str, ConfusionMatrix]:
        """Return counts by the name of a measurement; the first one is of all frames."""

    def add_to(self, data: DataHash) -> None:
        """Add the data to a hash."""


def open_data(campaign: Campaign, stage: Stage, root: str | None, folder: Path, device: str,
              metadata: Metadata) -> tuple[Batches, HeldOut]:
    """
    Load the data of a stage into the memory of a device.

    :param campaign: the campaign.
    :param stage: the stage.
    :param root: folder of CamVid.
    :param folder: folder of the campaign, with the drawn sequences of Street.
    :param device: torch device.
    :param metadata: normalisation, classes and nominal step of the network.
    :returns: data to train on, and to validate on.
    :raises ValueError: the data cannot be used.
    """
    if campaign.street is None:
        return Stills(stage, root, metadata, device), StillsHeldOut(stage, root, metadata, device)
    street = campaign.street
    train, held_out = street.files(folder, stage.size)
    return (SequenceClips(stage, _load(tuple(train), street.sequences, device), metadata, device),
            SequencesHeldOut(_load(tuple(held_out), street.held_out, device), metadata))


def check_camvid(campaign: Campaign, root: str) -> None:
    """
    Read the lists of images that the stages of a campaign need.

    :param campaign: the campaign.
    :param root: folder of CamVid.
    :raises ValueError: a list, or an image of it, is missing.
    """
    for split in dict.fromkeys(name for stage in campaign.stages
                               for name in (*stage.train_splits, stage.val_split)):
        CamVid(root, split)


# The stages of a lane share the data: several GB would be read for each.
@lru_cache(maxsize=2)
def _load(files: tuple[Path, ...], sequences: int, device: str) -> DeviceSequences:
    return DeviceSequences(files, sequences, device)
