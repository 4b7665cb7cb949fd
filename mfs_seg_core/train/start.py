# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start of a training: normalisation of the pixels, and weights to start from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from torch import Tensor, nn

from mfs_seg_core.data.statistics import MEAN, STD
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.model.config import Config
from mfs_seg_core.model.conversion import convert
from mfs_seg_core.model.lite_config import LiteConfig
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.train.heads import with_classes
from mfs_seg_core.train.imagenet import IMAGENET_MEAN, IMAGENET_STD, is_encoder, load_encoder
from mfs_seg_core.weights.file import load_weights

# Parts that weights may lack. Their initial values change nothing, but for the gain below.
OPTIONAL = ('recall.', 'encoder_recall.', 'events.')
# Of the recurrent block of an encoder that is trained already, in spikes: from 0 it hardly learns.
GAIN = 1.0


def pixel_statistics(config: Config | LiteConfig | UNetConfig
                     ) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of the pixels, RGB, 0..1, for the normalisation."""
    # An encoder from ImageNet keeps the normalisation that it was trained with.
    if isinstance(config, LiteConfig):
        return IMAGENET_MEAN, IMAGENET_STD
    return MEAN, STD


def start_from(network: nn.Module, path: str | Path, classes: ClassSet,
               calibration: Callable[[], tuple[Tensor, Tensor | None]],
               per_channel: bool = True) -> None:
    """
    Load the weights that a training starts from.

    A spiking network that starts from its artificial twin is converted. Heads of other classes keep
    the scores of the classes that both have.

    :param network: network on the CPU, whose weights change.
    :param path: file of weights or of an encoder (``mfs-seg imagenet``), or name of shipped
        weights.
    :param classes: classes of the network.
    :param calibration: returns normalised images ``[N, C, H, W]`` and event tensors
        ``[N, E, H, W]`` (None without events), on which a conversion measures ranges.
    :param per_channel: convert with one scale for each channel; False: for each layer.
    :raises ValueError: the file cannot be used, or does not fit the network.
    """
    if is_encoder(path):
        load_encoder(network, path)
        return
    before, metadata = load_weights(path)
    config = network.config
    lite = isinstance(config, LiteConfig) and isinstance(before.config, LiteConfig)
    if lite and before.config.analogue and not config.analogue:
        images, events = calibration()
        before = before.to(images.device)
        before = convert(before, images, config.levels, config.leak, per_channel,
                         events if before.config.events else None)
    tensors = with_classes(before.state_dict(), metadata.classes.names, network.state_dict(),
                           classes.names)
    try:
        missing, _ = network.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        # After a heading, the message names one tensor per line.
        first = str(error).splitlines()[1].strip().rstrip('.')
        raise ValueError(f'cannot start from {path} ({first}): choose weights of the same network'
                         ) from None
    wrong = [name for name in missing
             if not name.endswith('lif.leak') and not name.startswith(OPTIONAL)]
    if wrong:
        raise ValueError(f'cannot start from {path} ({wrong[0]} is missing in it): choose weights '
                         'of the same network')
    if 'encoder_recall.project.norm.weight' in missing:
        nn.init.constant_(network.encoder_recall.project.norm.weight, GAIN)
