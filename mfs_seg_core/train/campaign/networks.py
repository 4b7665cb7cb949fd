# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks of a campaign's stages: created, started from other weights, described."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from mfs_seg_core.data.statistics import NOMINAL_STEP_S
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.lite_config import LiteConfig
from mfs_seg_core.model.neuron import LIF
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.train.campaign.stage import Stage
from mfs_seg_core.train.fused_layers import fuse
from mfs_seg_core.train.start import pixel_statistics, start_from
from mfs_seg_core.weights.file import build
from mfs_seg_core.weights.metadata import Metadata


def describe(stage: Stage, classes: ClassSet, bins: int = 0) -> Metadata:
    """
    Return the metadata of a stage's weights.

    :param stage: settings of the stage.
    :param classes: classes of its labels.
    :param bins: time bins of the event tensors; 0: the network takes images only.
    :returns: metadata with the configuration of the network.
    """
    if stage.model == 'unet':
        config = UNetConfig(len(classes))
    else:
        config = named_config(stage.model, len(classes), events=2 * bins)
        changes = {} if stage.levels < 1 else {'levels': stage.levels}
        changes |= {} if stage.leak < 0 else {'leak': stage.leak}
        changes |= {'signed': stage.signed} if isinstance(config, LiteConfig) else {}
        config = dataclasses.replace(config, **changes)
    return Metadata(stage.name, config, classes, stage.size, *pixel_statistics(config),
                    NOMINAL_STEP_S, 'fusion' if bins else 'camera', bins, dict(stage.notes))


def start(stage: Stage, metadata: Metadata, path: str | Path,
          calibration: Callable[[], tuple[Tensor, Tensor | None]], device: str) -> nn.Module:
    """
    Create the network of a stage.

    :param stage: settings of the stage.
    :param metadata: description of the weights to be.
    :param path: file of weights or of an encoder to start from, or name of shipped weights; empty:
        random weights.
    :param calibration: returns normalised images ``[N, C, H, W]`` and event tensors or None, for a
        conversion.
    :param device: torch device.
    :returns: the network, in training mode.
    :raises ValueError: the file cannot be used, or does not fit the network.
    """
    torch.manual_seed(stage.seed)
    network = build(metadata.config)
    if str(path):
        start_from(network, path, metadata.classes, calibration, stage.per_channel)
        if stage.leak >= 0:
            for module in network.modules():
                if isinstance(module, LIF) and isinstance(module.leak, nn.Parameter):
                    nn.init.constant_(module.leak, stage.leak)
    if torch.device(device).type == 'cpu':
        fuse(network)
    return network.to(device, memory_format=torch.channels_last).train()
