# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The forward pass of LiteSeg, as operations."""

from __future__ import annotations

from mfs_seg_core.engine.builder import Current
from mfs_seg_core.engine.compile_parts import CAMERA, EVENTS, PartCompiler
from mfs_seg_core.engine.program import UnsupportedNetworkError
from mfs_seg_core.model.lite import Bottleneck


class LiteCompiler(PartCompiler):
    """Compiler of :class:`mfs_seg_core.model.lite.LiteSeg`."""

    def forward(self) -> None:
        """
        Add the operations of the network.

        :raises UnsupportedNetworkError: it is an artificial network, or has shortcuts where events
            join.
        """
        if self.config.analogue:
            raise UnsupportedNetworkError('it is an artificial network, without spikes')
        network, encoded = self.network, self._encode()
        x, coarsest = encoded[-1], len(encoded) - 1
        for scale in reversed(range(len(encoded))):
            if scale < coarsest:
                coarse, fine = self.up(network.up[scale], x), encoded[scale]
                x = self.spiking_conv(network.lateral[scale], [fine], fine.operation.level)
                x.operation.adds.append((self.builder.plane_of(coarse), True))
            recall = network.recall_at(scale)
            if recall is not None:
                x = self.recall(recall, x)
            for block in network.decoder[scale]:
                x = self.branch(block, [x], x.operation.level, [x])
            if recall is not None:
                self.store(recall, x)
            if scale == 1:
                self.unused_head(network.heads[0], x)
        self.scores(network.detail, network.heads, x)

    def _encode(self) -> list[Current]:
        """Return the current at the end of each scale, finest first."""
        network, encoded = self.network, []
        fuses = bool(self.config.events)
        x = self.builder.stem(network.stem.conv, CAMERA if fuses else 0, self.table)
        from_events = self.builder.stem(network.events.stem.conv, EVENTS, None) if fuses else None
        for row, blocks in zip(self.config.encoder, network.encoder):
            quarter = row[2] == 2 and not encoded
            joined = fuses and quarter
            if joined:
                _gate(x)
                encoded.append(self.builder.sum(x.operation.level, x.channels, [
                    (self.builder.plane_of(each), False) for each in (x, from_events)]))
            elif row[2] == 2:
                encoded.append(x)
            for index, block in enumerate(blocks):
                x = self._bottleneck(block, x)
                if joined and index == 0:
                    _gate(x)
                    level = x.operation.level
                    y = self.spiking_conv(network.events.down, [from_events], level, gate=EVENTS)
                    x = self.branch(network.events.join, [x, y], level, [x, y])
                if quarter and index == 0 and self.config.encoder_recall:
                    x = self.recall(network.encoder_recall, x)
                    self.store(network.encoder_recall, x)
        return [*encoded, x]

    def _bottleneck(self, block: Bottleneck, x: Current) -> Current:
        y, level = x, x.operation.level
        if hasattr(block, 'expand'):
            y = self.spiking_conv(block.expand, [x], level)
        level += block.depthwise.conv.stride[0] - 1
        y = self.spiking_conv(block.depthwise, [y], level)
        return self.spiking_conv(block.project, [y], level, adds=(x,) if block.shortcut else ())


def _gate(x: Current) -> None:
    """Let there be no current without the camera, whatever the biases of its operation."""
    if x.operation.adds:
        raise UnsupportedNetworkError('it has a shortcut before the events join')
    x.operation.gate = CAMERA
