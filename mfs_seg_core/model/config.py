# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Configurations of the network: its dimensions and options, and two named sets of them."""

from __future__ import annotations

from dataclasses import dataclass

from mfs_seg_core.model.lite_config import LITE_CONFIGS, LiteConfig

# Residual blocks, keys of mfs_seg_core.model.baseline_blocks.BLOCKS.
BLOCK_NAMES = ('efs_res', 'efs_res_dense', 'ms_res', 'ems_res', 'plain')


@dataclass(frozen=True)
class Config:
    """
    Dimensions and options of a network.

    :param classes: number of classes K.
    :param steps: time steps per image, in training and evaluation (a stream takes one).
    :param levels: D, the largest value of a spike.
    :param leak: share of a membrane potential that remains after one nominal step.
    :param expansion: channels inside an EFS-Res block, in multiples of those outside.
    :param stem_stride: 1, or 2 to keep the work away from full resolution.
    :param widths: channels of the three encoder scales; each is half the size of the one before.
    :param kernels: for each encoder scale, the depthwise kernel size of each of its EFS-Res
        blocks. Large kernels at small scale cover the whole image; dilation would be no cheaper.
    :param decoder_blocks: EFS-Res blocks of the decoder at each of the same three scales.
    :param mimo: MIMO-UNet's image pyramid, fusion of all scales and transposed convolutions
        (Cho et al., ICCV 2021), as MFS-Seg's authors use; else sums of same-scale features.
    :param detail: channels at full resolution when ``stem_stride`` is 2.
    :param inputs: channels of an image; of an event tensor, for a network that takes events only.
    :param block: residual block, one of :data:`BLOCK_NAMES`.
    :param full_spike: fire before the convolutions that change shape; False, for comparison.
    :param events: channels of the event tensor of a network that takes images and events; 0: it
        takes one modality.
    :param learn_leak: learn a leak for each channel, starting at ``leak``.
    :param recall: feed the decoder's output of the step before into the encoder, at its 2nd and
        3rd scale.
    :raises ValueError: the block is unknown.
    """

    classes: int
    steps: int
    levels: int
    leak: float
    expansion: int
    stem_stride: int
    widths: tuple[int, int, int]
    kernels: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    decoder_blocks: tuple[int, int, int]
    mimo: bool
    detail: int = 0
    inputs: int = 3
    learn_leak: bool = False
    recall: bool = False
    events: int = 0
    block: str = 'efs_res'
    full_spike: bool = True

    def __post_init__(self):
        if self.block not in BLOCK_NAMES:
            raise ValueError(f'no block {self.block!r}: choose from {", ".join(BLOCK_NAMES)}')


CONFIGS = {
    # The port of MIMO-UNet that the published code and the claimed parameter count point to.
    'paper': dict(steps=5, levels=1, leak=0.25, expansion=4, stem_stride=1, widths=(32, 64, 128),
                  kernels=((3,), (3,), (3,)), decoder_blocks=(1, 1, 1), mimo=True),
    # One integer step; nearly all work at 1/4 and 1/8 scale.
    'fast': dict(steps=1, levels=4, leak=0.25, expansion=2, stem_stride=2, widths=(16, 48, 96),
                 kernels=((), (3,), (5, 5, 7, 7, 5, 5)), decoder_blocks=(0, 1, 0),
                 mimo=False, detail=8, learn_leak=True, recall=True),
}


def named_config(name: str, classes: int, **changes) -> Config | LiteConfig:
    """Return the configuration ``name``, a key of CONFIGS or LITE_CONFIGS, with ``changes``."""
    if name in LITE_CONFIGS:
        return LiteConfig(classes=classes, **{**LITE_CONFIGS[name], **changes})
    if name not in CONFIGS:
        raise ValueError(f'no configuration {name!r}: choose from '
                         f'{", ".join((*CONFIGS, *LITE_CONFIGS))}')
    return Config(classes=classes, **{**CONFIGS[name], **changes})
