# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The forward pass of MFSSeg, as operations."""

from __future__ import annotations

from torch import nn

from mfs_seg_core.engine.builder import Current
from mfs_seg_core.engine.compile_parts import CAMERA, EVENTS, PartCompiler
from mfs_seg_core.engine.program import UnsupportedNetworkError
from mfs_seg_core.model.baseline_blocks import MSRes, NoShortcut
from mfs_seg_core.model.blocks import EFSRes


class MFSSegCompiler(PartCompiler):
    """Compiler of :class:`mfs_seg_core.model.network.MFSSeg`."""

    def forward(self) -> None:
        """
        Add the operations of the network.

        :raises UnsupportedNetworkError: it has a part without an operation.
        """
        config = self.config
        if config.mimo or not config.full_spike or config.steps != 1:
            raise UnsupportedNetworkError(
                'its configuration is not of the kind of fast: an image pyramid, several steps for '
                'an image, or convolutions of currents')
        self._decode(self._encode())

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
                x = self.spiking_conv(network.down[scale - 1], [x], level,
                                      gate=gate if scale == 1 else 0)
                if scale == 1 and from_events is not None:
                    y = self.spiking_conv(network.events.down, [from_events], level, gate=EVENTS)
                    x = self.branch(network.events.join, [x, y], level, [x, y])
                if config.recall:
                    x = self.recall(network.recall[scale - 1], x)
            for block in blocks:
                x = self._block(block, x)
            encoded.append([x] if scale > 0 or from_events is None else [x, from_events])
        return encoded

    def _decode(self, encoded: list[list[Current]]) -> None:
        network, config, builder = self.network, self.config, self.builder
        decoded = []
        for scale in (2, 1, 0):
            if scale == 2:
                x, = encoded[2]
            else:
                coarse = self.up(network.up[scale], x)
                x = builder.sum(encoded[scale][0].operation.level, coarse.channels, [
                    (builder.plane_of(coarse), True),
                    *((builder.plane_of(each), False) for each in encoded[scale])])
            for block in network.decoder[scale]:
                x = self._block(block, x)
            if config.recall and scale > 0:
                self.store(network.recall[scale - 1], x)
            decoded.append(x)
        if config.stem_stride == 1:
            for head, x in zip(network.heads[:2], decoded):
                self.unused_head(head, x)
            self.classify(self.head(network.heads[2], decoded[2]))
        else:
            self.unused_head(network.heads[0], decoded[1])
            self.scores(network.detail, network.heads, decoded[2])

    def _block(self, block: nn.Module, x: Current) -> Current:
        level = x.operation.level
        if isinstance(block, NoShortcut):
            return self.branch(block, [x], level, [])
        if isinstance(block, EFSRes):
            return self.branch(block, [x], level, [x])
        if isinstance(block, MSRes):
            first = self.spiking_conv(block.first, [x], level)
            return self.spiking_conv(block.second, [first], level, adds=(x,))
        raise UnsupportedNetworkError(f'it has a block {type(block).__name__}')
