# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compile a network to a program, whose operations follow the network's own forward pass."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from torch import nn

from mfs_seg_core.engine.builder import Builder, Current
from mfs_seg_core.engine.layout import NORMALS
from mfs_seg_core.engine.program import Plane, Program, UnsupportedNetworkError
from mfs_seg_core.model.baseline_blocks import MSRes, NoShortcut
from mfs_seg_core.model.blocks import EFSRes, Head, Recall, SpikingConv, Up
from mfs_seg_core.model.network import MFSSeg, fold_norms
from mfs_seg_core.weights.metadata import Metadata

CAMERA, EVENTS = 1, 2
# Sums of products in 16 bits need room for several: see native/kernels.inc.
MAX_LEVELS = 32


def compile_network(network: MFSSeg, mean: tuple[float, ...] | None = None,
                    std: tuple[float, ...] | None = None, half: bool = True) -> Program:
    """
    Compile a network; its norms are folded into the convolutions.

    :param network: the network, which does not change.
    :param mean: mean of the training pixels, in 0..1, for uint8 images; None: the first input is a
        float32 tensor.
    :param std: standard deviation of the training pixels.
    :param half: store membrane potentials in 16 bits: half the memory, which is the limit of most
        processors here.
    :returns: the program.
    :raises UnsupportedNetworkError: the network has a part without an operation.
    """
    if not isinstance(network, MFSSeg):
        raise UnsupportedNetworkError(f'it is a {type(network).__name__}')
    config = network.config
    if config.mimo or not config.full_spike or config.steps != 1:
        raise UnsupportedNetworkError('its configuration is not of the kind of fast: an image '
                                      'pyramid, several steps for an image, or convolutions of '
                                      'currents')
    if config.levels > MAX_LEVELS:
        raise UnsupportedNetworkError(f'its spikes have {config.levels} levels, more than '
                                      f'{MAX_LEVELS}')
    table = None if mean is None else _pixel_table(mean, std)
    with torch.no_grad():
        return _Compiler(fold_norms(deepcopy(network)), table).compile(half)


def compile_weights(network: MFSSeg, metadata: Metadata) -> Program:
    """
    Compile a network whose input is frames, events or both, as the metadata of its weights say.

    :param network: the network, which does not change.
    :param metadata: metadata of its weights.
    :returns: the program.
    :raises UnsupportedNetworkError: the network has a part without an operation.
    """
    if 'camera' in metadata.sensors:
        return compile_network(network, metadata.mean, metadata.std)
    return compile_network(network)


def _pixel_table(mean: tuple[float, ...], std: tuple[float, ...]) -> np.ndarray:
    """Return mean and standard deviation of pixels 0..255, float32 ``[2, NORMALS]``."""
    return np.stack([np.resize(np.float32(x) * np.float32(255), NORMALS) for x in (mean, std)])


class _Compiler:
    """The forward pass of a network, as operations."""

    def __init__(self, network: MFSSeg, table: np.ndarray | None):
        self.network, self.config, self.table = network, network.config, table
        self.builder = Builder(network.config.levels)

    def compile(self, half: bool) -> Program:
        self._decode(self._encode())
        config = self.config
        return Program(self.builder.planes, self.builder.operations,
                       (config.inputs, config.events), config.classes, half,
                       self.builder.costs)

    def _encode(self) -> list[list[Current]]:
        """Return the currents at each scale, whose sum is that of the encoder."""
        network, config, builder = self.network, self.config, self.builder
        base = config.stem_stride - 1
        gate = CAMERA if config.events else 0
        x = builder.stem(network.stem.conv, gate, self.table)
        from_events = None
        if config.events:
            from_events = builder.stem(network.events.stem.conv, EVENTS, None)
        encoded = []
        for scale, blocks in enumerate(network.encoder):
            if scale > 0:
                level = base + scale
                x = self._spiking_conv(network.down[scale - 1], [x], level,
                                       gate=gate if scale == 1 else 0)
                if scale == 1 and from_events is not None:
                    y = self._spiking_conv(network.events.down, [from_events], level, gate=EVENTS)
                    x = self._branch(network.events.join, [x, y], level, [x, y])
                if config.recall:
                    block = network.recall[scale - 1]
                    channels = config.widths[scale]
                    plane = builder.plane(Plane('past', (channels,), level, name=block.name))
                    past = builder.sum(level, channels, [(plane, False)])
                    x = self._branch(block, [x, past], level, [x])
            for block in blocks:
                x = self._block(block, x, base + scale)
            encoded.append([x] if scale > 0 or from_events is None else [x, from_events])
        return encoded

    def _decode(self, encoded: list[list[Current]]) -> None:
        network, config, builder = self.network, self.config, self.builder
        base = config.stem_stride - 1
        decoded = []
        for scale in (2, 1, 0):
            level = base + scale
            if scale == 2:
                x, = encoded[2]
            else:
                coarse = self._up(network.up[scale], x, level + 1)
                x = builder.sum(level, coarse.channels, [
                    (builder.plane_of(coarse), True),
                    *((builder.plane_of(each), False) for each in encoded[scale])])
            for block in network.decoder[scale]:
                x = self._block(block, x, level)
            if config.recall and scale > 0:
                name = network.recall[scale - 1].name
                builder.store(x, next(i for i, plane in enumerate(builder.planes)
                                      if plane.name == name))
            decoded.append(x)
        if config.stem_stride == 1:
            for scale, head in enumerate(network.heads[:2]):
                builder.count(head.conv, builder.fire(head.lif, [decoded[scale]], 0), 2 - scale)
            self._classify(self._head(network.heads[2], decoded[2], 0))
            return
        # The neurons of the coarse head have a state; its scores are for training alone.
        head = network.heads[0]
        builder.count(head.conv, builder.fire(head.lif, [decoded[1]], 0), base + 1)
        detail = builder.fire(network.detail.lif, [decoded[2]], 0)
        spikes = builder.double(network.detail.conv, detail, network.heads[2].lif)
        half = self._head(network.heads[1], decoded[2], 1)
        scores = builder.conv(network.heads[2].conv, spikes, 0)
        scores.operation.adds.append((builder.plane_of(half), True))
        self._classify(scores)

    def _classify(self, scores: Current) -> None:
        scores.operation.classes = self.config.classes
        # No padding has the highest score.
        scores.operation.bias[self.config.classes:] = np.finfo(np.float32).min

    # Parts of the network.

    def _spiking_conv(self, layer: SpikingConv, currents: list[Current], level: int, gate: int = 0,
                      adds: tuple[Current, ...] = ()) -> Current:
        spikes = self.builder.fire(layer.lif, currents, layer.conv.kernel_size[0] // 2)
        return self.builder.conv(layer.conv, spikes, level, gate, adds)

    def _block(self, block: nn.Module, x: Current, level: int) -> Current:
        if isinstance(block, NoShortcut):
            return self._branch(block, [x], level, [])
        if isinstance(block, EFSRes):
            return self._branch(block, [x], level, [x])
        if isinstance(block, MSRes):
            first = self._spiking_conv(block.first, [x], level)
            return self._spiking_conv(block.second, [first], level, adds=(x,))
        raise UnsupportedNetworkError(f'it has a block {type(block).__name__}')

    def _branch(self, block: EFSRes | Recall, currents: list[Current], level: int,
                adds: list[Current]) -> Current:
        x = self._spiking_conv(block.expand, currents, level)
        x = self._spiking_conv(block.depthwise, [x], level)
        return self._spiking_conv(block.project, [x], level, adds=tuple(adds))

    def _up(self, up: Up, x: Current, level: int) -> Current:
        if isinstance(up.conv, nn.ConvTranspose2d):
            raise UnsupportedNetworkError('its decoder has transposed convolutions')
        return self.builder.conv(up.conv, self.builder.fire(up.lif, [x], 0), level)

    def _head(self, head: Head, x: Current, level: int) -> Current:
        spikes = self.builder.fire(head.lif, [x], head.conv.kernel_size[0] // 2)
        return self.builder.conv(head.conv, spikes, level)
