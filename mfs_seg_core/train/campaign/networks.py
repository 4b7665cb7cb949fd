# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks of a campaign's stages: created, started from other weights, described."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import Tensor, nn

from mfs_seg_core.data.statistics import MEAN, NOMINAL_STEP_S, STD
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.conversion import convert
from mfs_seg_core.model.lite_config import LiteConfig
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.train.campaign.stage import Stage
from mfs_seg_core.train.fused_layers import fuse
from mfs_seg_core.train.imagenet import IMAGENET_MEAN, IMAGENET_STD, is_encoder, load_encoder
from mfs_seg_core.weights.file import build, load_weights
from mfs_seg_core.weights.metadata import Metadata


def describe(stage: Stage, classes: ClassSet) -> Metadata:
    """
    Return the metadata of a stage's weights.

    :param stage: settings of the stage.
    :param classes: classes of its labels.
    :returns: metadata with the configuration of the network.
    """
    if stage.model == 'unet':
        config = UNetConfig(len(classes))
    else:
        config = named_config(stage.model, len(classes))
        changes = {} if stage.levels < 1 else {'levels': stage.levels}
        changes |= {} if stage.leak < 0 else {'leak': stage.leak}
        changes |= {'signed': stage.signed} if isinstance(config, LiteConfig) else {}
        config = dataclasses.replace(config, **changes)
    # An encoder from ImageNet keeps the normalisation that it was trained with.
    mean, std = ((IMAGENET_MEAN, IMAGENET_STD) if isinstance(config, LiteConfig) else (MEAN, STD))
    return Metadata(stage.name, config, classes, stage.size, mean, std, NOMINAL_STEP_S,
                    notes=dict(stage.notes))


def start(stage: Stage, metadata: Metadata, path: str | Path, calibration: Tensor, device: str
          ) -> nn.Module:
    """
    Create the network of a stage.

    :param stage: settings of the stage.
    :param metadata: description of the weights to be.
    :param path: file of weights or of an encoder to start from, or name of shipped weights; empty:
        random weights.
    :param calibration: normalised images ``[N, C, H, W]`` for a conversion.
    :param device: torch device.
    :returns: the network, in training mode.
    :raises ValueError: the file cannot be used, or does not fit the network.
    """
    torch.manual_seed(stage.seed)
    config = metadata.config
    network = build(config)
    if str(path) and is_encoder(path):
        load_encoder(network, path)
    elif str(path):
        before, _ = load_weights(path)
        lite = isinstance(config, LiteConfig) and isinstance(before.config, LiteConfig)
        if lite and before.config.analogue and not config.analogue:
            before = before.to(device, memory_format=torch.channels_last)
            before = convert(before, calibration, config.levels, config.leak, stage.per_channel)
        try:
            missing, _ = network.load_state_dict(before.state_dict(), strict=False)
        except RuntimeError as error:
            first = str(error).splitlines()[1].strip().rstrip('.')
            raise ValueError(f'stage {stage.name} cannot start from {path} ({first}): choose '
                             'weights of the same network') from None
        if any(not name.endswith('lif.leak') for name in missing):
            raise ValueError(f'stage {stage.name} cannot start from {path} ({missing[0]} is '
                             'missing in it): choose weights of the same network')
    if torch.device(device).type == 'cpu':
        fuse(network)
    return network.to(device, memory_format=torch.channels_last).train()
