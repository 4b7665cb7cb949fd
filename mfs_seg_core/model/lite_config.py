# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of the network with an encoder of EfficientNet-Lite's shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

# Rows of an encoder: number of blocks, kernel, stride of the first block, expansion, channels.
LITE0 = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
         (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))
LITE2 = ((1, 3, 1, 1, 16), (3, 3, 2, 6, 24), (3, 5, 2, 6, 48), (4, 3, 2, 6, 88), (4, 5, 1, 6, 120),
         (5, 5, 2, 6, 208), (1, 3, 1, 6, 352))
MOST_BLOCKS = 128


@dataclass(frozen=True)
class LiteConfig:
    """
    Dimensions and options of a network with an encoder of EfficientNet-Lite's shape.

    :param classes: number of classes K.
    :param encoder: rows of the encoder after a stem of stride 2: number of blocks, kernel, stride
        of the first one, expansion, channels.
    :param decoder_widths: channels of the decoder at 1/2, 1/4, ... without the coarsest scale,
        which has those of the encoder.
    :param decoder_kernels: for each scale from 1/2 on, the kernel of each EFS-Res block.
    :param levels: D, the largest value of a spike.
    :param leak: share of a membrane potential that remains after one nominal step.
    :param expansion: channels inside a block of the decoder, in multiples of those outside.
    :param detail: channels at full resolution.
    :param learn_leak: learn a leak for each channel, starting at ``leak``.
    :param recall: feed the decoder's output of the step before into its two coarsest scales.
    :param encoder_recall: feed the current of the encoder at 1/4 of the step before into it, too.
    :param signed: neurons that read the current of a shortcut fire -D..D; else they fire 0..D.
    :param analogue: artificial network of the same shape: ReLU6 in place of neurons that fire 0..D,
        and the identity in place of signed ones. It has no state.
    :param inputs: channels of an image; of an event tensor, for a network that takes events only.
    :param events: channels of the event tensor of a network that takes images and events; 0: it
        takes one modality.
    :raises ValueError: the dimensions do not fit together.
    """

    classes: int
    encoder: tuple[tuple[int, int, int, int, int], ...]
    decoder_widths: tuple[int, ...]
    decoder_kernels: tuple[tuple[int, ...], ...]
    levels: int = 8
    leak: float = 0.25
    expansion: int = 2
    detail: int = 8
    learn_leak: bool = True
    recall: bool = True
    # Weights from before there was a choice have none.
    encoder_recall: bool = False
    signed: bool = True
    analogue: bool = False
    inputs: int = 3
    events: int = 0
    # One step for each image, as other code reads from a Config.
    steps: ClassVar[int] = 1

    def __post_init__(self):
        rows, kernels = self.encoder, [k for row in self.decoder_kernels for k in row]
        if (sum(row[0] for row in rows) + len(kernels) > MOST_BLOCKS
                or any(row[2] > 2 or row[3] > 16 for row in rows)
                or any(kernel % 2 == 0 or kernel > 31
                       for kernel in [*kernels, *(row[1] for row in rows)])):
            raise ValueError(f'a network has at most {MOST_BLOCKS} blocks, of odd kernels, strides '
                             'of 1 or 2 and expansions up to 16')
        if self.detail < 1:
            raise ValueError('detail must be at least 1')
        scales = 1 + sum(row[2] == 2 for row in self.encoder)
        if scales < 3 or len(self.decoder_kernels) != scales \
                or len(self.decoder_widths) != scales - 1:
            raise ValueError(f'an encoder of {scales} scales needs 3 scales or more, decoder '
                             f'widths of {scales - 1} and decoder kernels of {scales}')
        if self.encoder_recall and not self.recall:
            raise ValueError('encoder_recall needs recall')
        if self.signed and self.levels == 1:
            raise ValueError('signed neurons need levels above 1')


LITE_CONFIGS = {
    # To 1/16 only: the coarser half of EfficientNet-Lite0 has most of its parameters.
    'lite': dict(encoder=LITE0[:5], decoder_widths=(32, 48, 64),
                 decoder_kernels=((3,), (5,), (5, 5), (7, 5)), encoder_recall=True),
    'lite_teacher': dict(encoder=LITE2, decoder_widths=(48, 96, 128, 192),
                         decoder_kernels=((3,), (5,), (5, 5), (5, 5), (5, 5)), detail=16,
                         analogue=True, recall=False, learn_leak=False),
}
LITE_CONFIGS['lite_twin'] = {**LITE_CONFIGS['lite'], 'analogue': True, 'learn_leak': False}
