# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Layers and blocks that networks share, as operations."""

from __future__ import annotations

import numpy as np
from torch import nn

from mfs_seg_core.engine.builder import Builder, Current
from mfs_seg_core.engine.program import Plane, Program, UnsupportedNetworkError
from mfs_seg_core.model.blocks import EFSRes, Head, Recall, SpikingConv, Up
from mfs_seg_core.model.stateful import Stateful

CAMERA, EVENTS = 1, 2
# Sums of products in 16 bits need room for two pairs, also where neurons are signed and their
# spikes occupy bytes up to twice this: see native/kernels.inc.
MAX_LEVELS = 32


class PartCompiler:
    """
    Base of the compilers, which follow the forward pass of one kind of network.

    :ivar builder: the program so far.
    """

    def __init__(self, network: Stateful, table: np.ndarray | None):
        """
        Create a compiler.

        :param network: network with folded norms.
        :param table: mean and standard deviation of uint8 pixels; None: the input is float32.
        :raises UnsupportedNetworkError: its spikes are too large.
        """
        self.network, self.config, self.table = network, network.config, table
        if self.config.levels > MAX_LEVELS:
            raise UnsupportedNetworkError(f'its spikes have {self.config.levels} levels, more than '
                                          f'{MAX_LEVELS}')
        self.builder = Builder(network.config.levels)
        # Planes of the currents that recurrent blocks store, by the name of the block.
        self._past: dict[str, int] = {}

    def compile(self, half: bool) -> Program:
        """Return the program; ``half``: potentials have 16 bits."""
        self.forward()
        config = self.config
        return Program(self.builder.planes, self.builder.operations,
                       (config.inputs, config.events), config.classes, half,
                       self.builder.costs)

    def forward(self) -> None:
        """
        Add the operations of the network.

        :raises UnsupportedNetworkError: it has a part without an operation.
        """
        raise NotImplementedError

    def spiking_conv(self, layer: SpikingConv, currents: list[Current], level: int, gate: int = 0,
                     adds: tuple[Current, ...] = ()) -> Current:
        """
        Add neurons and the convolution of their spikes.

        :param layer: the layer.
        :param currents: currents that the neurons take, side by side.
        :param level: size of the output.
        :param gate: sensor without which there is no output; 0: none.
        :param adds: currents that are added to the output.
        :returns: the output.
        """
        spikes = self.builder.fire(layer.lif, currents, layer.conv.kernel_size[0] // 2)
        return self.builder.conv(layer.conv, spikes, level, gate, adds)

    def branch(self, block: EFSRes, currents: list[Current], level: int, adds: list[Current]
               ) -> Current:
        """Add the branch of an EFS-Res block on ``currents``; return it plus ``adds``."""
        x = self.spiking_conv(block.expand, currents, level)
        x = self.spiking_conv(block.depthwise, [x], level)
        return self.spiking_conv(block.project, [x], level, adds=tuple(adds))

    def recall(self, block: Recall, x: Current) -> Current:
        """Add a recurrent block on ``x`` and the current that the step before stored."""
        level = x.operation.level
        plane = Plane('past', (x.channels,), level, name=block.name)
        self._past[block.name] = self.builder.plane(plane)
        past = self.builder.sum(level, x.channels, [(self._past[block.name], False)])
        return self.branch(block, [x, past], level, [x])

    def store(self, block: Recall, x: Current) -> None:
        """Store ``x`` for a recurrent block of the next step."""
        self.builder.store(x, self._past[block.name])

    def up(self, up: Up, x: Current) -> Current:
        """Add a layer that is followed by an interpolation; return its output before that."""
        if isinstance(up.conv, nn.ConvTranspose2d):
            raise UnsupportedNetworkError('its decoder has transposed convolutions')
        return self.spiking_conv(up, [x], x.operation.level)

    def head(self, head: Head, x: Current) -> Current:
        """Add a head; return its class scores."""
        return self.spiking_conv(head, [x], x.operation.level)

    def unused_head(self, head: Head, x: Current) -> None:
        """Add the neurons of a head, which have a state; its scores are for training alone."""
        self.builder.count(head.conv, self.builder.fire(head.lif, [x], 0), x.operation.level)

    def scores(self, detail: Up, heads: nn.ModuleList, half: Current) -> None:
        """
        Add class scores at full size: those at 1/2, interpolated, plus those of the detail.

        :param detail: layer that doubles the size.
        :param heads: heads at 1/4, 1/2 and full size.
        :param half: current at 1/2.
        """
        spikes = self.builder.double(detail.conv, self.builder.fire(detail.lif, [half], 0),
                                     heads[2].lif)
        coarse = self.head(heads[1], half)
        scores = self.builder.conv(heads[2].conv, spikes, 0)
        scores.operation.adds.append((self.builder.plane_of(coarse), True))
        self.classify(scores)

    def classify(self, scores: Current) -> None:
        """Let the last operation write the class of the highest score."""
        scores.operation.classes = self.config.classes
        # No padding has the highest score.
        scores.operation.bias[self.config.classes:] = np.finfo(np.float32).min
