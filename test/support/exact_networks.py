# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Networks whose sums are exact in float32, in whatever order they are added.

Weights are integers of -127..127 times a power of two, with a 127 in each channel: quantising them
to 8 bits changes nothing. Biases, leaks and inputs are multiples of powers of two as well. So torch
and the engine must agree to the last bit, where the coarsest scale has a whole number of pixels
(else the interpolation rounds), for the first steps (each adds digits to the potentials).
"""

import numpy as np
import torch
from torch import nn

from mfs_seg_core.model.config import Config
from mfs_seg_core.model.lite import STEM_WIDTH, LiteSeg
from mfs_seg_core.model.lite_config import LiteConfig
from mfs_seg_core.model.network import MFSSeg, fold_norms
from mfs_seg_core.model.neuron import LIF
from mfs_seg_core.weights.file import build

BLOCKS = ('efs_res', 'efs_res', 'efs_res_dense', 'ms_res', 'plain')


def random_config(seed: int, **changes) -> Config:
    """Return a small random member of the family of 'fast'."""
    random = np.random.default_rng(seed)

    def choose(*values):
        return values[random.integers(len(values))]

    fields = dict(
        classes=int(random.integers(2, 20)), steps=1, levels=int(random.integers(1, 9)), leak=0.25,
        expansion=choose(1, 2, 3), stem_stride=choose(1, 2, 2),
        widths=tuple(int(width) for width in random.integers(1, 40, 3)),
        kernels=tuple(tuple(choose(3, 5, 7) for _ in range(count))
                      for count in (choose(0, 1), choose(0, 1, 2), choose(0, 1, 2))),
        decoder_blocks=(choose(0, 1), choose(0, 1), choose(0, 1)), mimo=False,
        detail=choose(3, 8, 12), learn_leak=choose(True, False), recall=choose(True, False),
        events=choose(0, 4), block=choose(*BLOCKS))
    return Config(**{**fields, **changes})


def random_lite_config(seed: int, **changes) -> LiteConfig:
    """Return a small random member of the family of 'lite', of three to five scales."""
    random = np.random.default_rng(seed)

    def choose(*values):
        return values[random.integers(len(values))]

    def row(stride):
        return (choose(1, 2), choose(3, 5, 7), stride, choose(1, 2, 3), int(random.integers(1, 40)))

    strided = choose(2, 3, 4)
    encoder = [row(1), *(row(2) for _ in range(strided))]
    for place in random.integers(1, strided + 2, choose(0, 1, 2)):
        encoder.insert(place, row(1))
    levels = int(random.integers(1, 9))
    fields = dict(
        classes=int(random.integers(2, 20)), encoder=tuple(encoder), levels=levels,
        decoder_widths=tuple(int(width) for width in random.integers(1, 40, strided)),
        decoder_kernels=tuple(tuple(choose(3, 5, 7) for _ in range(choose(0, 1, 2)))
                              for _ in range(strided + 1)),
        expansion=choose(1, 2, 3), detail=choose(3, 8, 12), learn_leak=choose(True, False),
        recall=choose(True, False), signed=levels > 1 and choose(True, True, False))
    if choose(True, False):
        # The engine has no shortcuts before the place where events join.
        first = next(index for index, each in enumerate(encoder) if each[2] == 2)
        start = (1, *encoder[0][1:-1], min(encoder[0][-1], STEM_WIDTH - 1))
        fields |= {'events': 4, 'encoder': (start, *encoder[first:])}
    fields |= changes
    fields.setdefault('encoder_recall', fields['recall'] and choose(True, False))
    return LiteConfig(**fields)


@torch.no_grad()
def exact_network(config: Config | LiteConfig, seed: int = 0, extreme: bool = False,
                  signed: float = 0) -> MFSSeg | LiteSeg:
    """
    Return a network with folded norms and exact sums.

    extreme: the largest weights and spikes, so that sums are as large as they can be.
    signed: share of the neuron layers of more than one level that are signed, whatever the network.
    """
    random = np.random.default_rng(seed)
    network = fold_norms(build(config).eval())
    for name, module in network.named_modules():
        if isinstance(module, LIF) and module.levels > 1 and random.random() < signed:
            module.least = -module.levels
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            _fill(module, random, extreme, transposed=isinstance(module, nn.ConvTranspose2d))
            if extreme and 'stem' in name:
                module.bias.fill_(1000)
        elif isinstance(module, LIF) and isinstance(module.leak, nn.Parameter):
            module.leak.copy_(torch.from_numpy(
                random.choice(np.float32([0.25, 0.5, 1.0]), module.leak.shape)))
    return network


def _fill(conv, random: np.random.Generator, extreme: bool, transposed: bool) -> None:
    shape = conv.weight.shape
    if extreme:
        integers = np.where(random.random(shape) < 0.5, -127, 127)
        # Most output channels have weights of one sign: sums far from 0, on both sides.
        of_output = np.moveaxis(integers, 1, 0) if transposed else integers
        of_output[::2], of_output[1::4] = 127, -127
    else:
        integers = random.integers(-127, 128, shape)
        # Of each output channel; those of a transposed convolution are the second dimension.
        first = integers[0, :, :, :] if transposed else integers[:, 0, 0, 0]
        first[...] = 127
    inputs = shape[0] if transposed else np.prod(shape[1:])
    digits = int(np.round(np.log2(60 * np.sqrt(inputs)))) if not extreme else 6
    conv.weight.copy_(torch.from_numpy(integers * 2.0 ** -digits))
    if conv.bias is None:
        conv.bias = nn.Parameter(torch.zeros(conv.out_channels))
    # Of the digits of the largest sums.
    steps = 64 if extreme else 256
    conv.bias.copy_(torch.from_numpy(
        random.integers(-steps // 4, 3 * steps // 4, conv.bias.shape) / steps))


@torch.no_grad()
def without_ties(network: MFSSeg | LiteSeg) -> MFSSeg | LiteSeg:
    """
    Return an exact network with changed biases, whose sums are no longer exact.

    Potentials of exact networks are often half-way between two spikes, where a rounding error of
    the interpolation decides; these are not.
    """
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            module.bias += torch.rand(module.bias.shape, generator=generator) / 256
    return network


def exact_inputs(config: Config, seed: int, height: int, width: int
                 ) -> tuple[np.ndarray, np.ndarray | None]:
    """Return an image ``[C, H, W]`` and an event tensor ``[E, H, W]``, if the network takes one."""
    random = np.random.default_rng(seed)
    image, events = (
        (random.integers(-32, 33, (channels, height, width)) / 16).astype(np.float32)
        for channels in (config.inputs, config.events))
    return image, events if config.events else None
