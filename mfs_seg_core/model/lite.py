# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LiteSeg: an encoder of EfficientNet-Lite's shape, and a decoder of EFS-Res blocks to 1/2."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mfs_seg_core.model.blocks import EFSRes, EventInput, Head, Recall, SpikingConv, Stem, Up
from mfs_seg_core.model.layout import enlarge, per_image
from mfs_seg_core.model.lite_config import LiteConfig
from mfs_seg_core.model.sensors import CAMERA, EVENTS, presence, stem_currents
from mfs_seg_core.model.state import Membranes, Spiking, State
from mfs_seg_core.model.stateful import Prediction, Stateful

# Of the batch norms of EfficientNet-Lite.
EPSILON = 1e-3
STEM_WIDTH = 32


class SharedCurrent(NamedTuple):
    """
    A current of the network: all layers that add to it, and all that fire on it.

    :param writers: layers with a norm, whose outputs are summed.
    :param readers: layers with neurons and a convolution.
    """

    writers: list[nn.Module]
    readers: list[nn.Module]


class Bottleneck(nn.Module):
    """
    Block of EfficientNet-Lite with neurons: expand, depthwise, project, each a SpikingConv.

    Where its shape allows, the input is added to the output: then it is an EFS-Res block.
    """

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int,
                 spiking: Spiking):
        """
        Create the layers.

        :param inputs: input channels.
        :param outputs: output channels.
        :param expansion: channels of the depthwise convolution in multiples of ``inputs``; 1: there
            is no layer that expands.
        :param kernel: size of the depthwise convolution.
        :param stride: its stride.
        :param spiking: settings of the neurons.
        """
        super().__init__()
        hidden = inputs * expansion
        self.shortcut = stride == 1 and inputs == outputs
        if expansion > 1:
            self.expand = SpikingConv(inputs, hidden, spiking, signed=spiking.signed)
        self.depthwise = SpikingConv(hidden, hidden, spiking, kernel, stride, groups=hidden)
        self.project = SpikingConv(hidden, outputs, spiking)

    def forward(self, x: Tensor, membranes: Membranes) -> Tensor:
        """Return the output of the block."""
        y = self.expand(x, membranes) if hasattr(self, 'expand') else x
        y = self.project(self.depthwise(y, membranes), membranes)
        return x + y if self.shortcut else y


class LiteSeg(Stateful):
    """
    Spiking network whose encoder can start from weights trained on ImageNet.

    Each scale of the decoder adds the enlarged current of the coarser one and that of the encoder,
    then runs its blocks. As in MFSSeg, four sub-pixels of each pixel at 1/2 give the detail at full
    resolution. Events join the camera after the first block at 1/4, and the decoder at 1/2. The
    current after that block may be recalled in the next step, as is the output of the decoder at
    its two coarsest scales. The network holds no state.
    """

    def __init__(self, config: LiteConfig):
        """
        Create an untrained network.

        :param config: dimensions and options.
        """
        super().__init__()
        self.config = config
        spiking = Spiking(config.levels, config.leak, config.learn_leak, config.signed,
                          config.analogue)
        self.stem = Stem(config.inputs, STEM_WIDTH, spiking, stride=2)
        self.encoder, width, encoded = nn.ModuleList(), STEM_WIDTH, []
        for count, kernel, stride, expansion, channels in config.encoder:
            blocks = nn.ModuleList()
            for index in range(count):
                blocks.append(Bottleneck(width, channels, expansion, kernel,
                                         1 if index else stride, spiking))
                width = channels
            encoded = [*(encoded if stride == 2 else encoded[:-1]), channels]
            self.encoder.append(blocks)

        if config.events:
            self.events = EventInput(config.events, (encoded[0], self._joined()), config.expansion,
                                     spiking, stride=2)

        if config.encoder_recall:
            self.encoder_recall = Recall(self._joined(), config.expansion, spiking)

        widths = (*config.decoder_widths, width)
        finer = range(len(widths) - 1)
        self.lateral = nn.ModuleList(
            SpikingConv(encoded[i], widths[i], spiking, signed=spiking.signed) for i in finer)
        self.up = nn.ModuleList(Up(widths[i + 1], widths[i], spiking) for i in finer)
        if config.recall:
            self.recall = nn.ModuleList(Recall(width, 1, spiking) for width in widths[-2:])
        self.decoder = nn.ModuleList(
            nn.ModuleList(EFSRes(width, config.expansion, spiking, kernel) for kernel in kernels)
            for width, kernels in zip(widths, config.decoder_kernels))
        self.detail = Up(widths[0], config.detail, spiking, kernel=2)
        self.heads = nn.ModuleList([
            Head(widths[1], config.classes, spiking, 1, spiking.signed),
            Head(widths[0], config.classes, spiking, 1, spiking.signed),
            Head(config.detail, config.classes, spiking, 1)])
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = EPSILON
        self.name_neurons()

    def _joined(self) -> int:
        """Return the channels at 1/4, where the events join the camera."""
        return next(channels for *_, stride, _, channels in self.config.encoder if stride == 2)

    def forward(self, images: Tensor | None, state: State | None = None, rates: bool = False,
                elapsed: float | Tensor = 1.0, events: Tensor | None = None,
                present: Tensor | None = None) -> Prediction:
        """
        Advance T time steps.

        :param images: ``[T, B, C, H, W]``, normalised pixels, one image per step. None: the camera
            is absent in these steps and injects no current.
        :param state: as returned by the call before for the same streams; None: all at rest. An
            artificial network has none.
        :param rates: measure the firing rate of each neuron layer.
        :param elapsed: time from the last step of ``state`` to the first of these, in nominal
            steps, above 0; a tensor ``[B]`` for streams with different times. The others follow
            after one nominal step each.
        :param events: ``[T, B, E, H, W]``, event tensors, for a network with ``config.events`` of
            E channels; None: the event camera is absent.
        :param present: bool ``[T, B, 2]``, whether camera and event camera of a stream are present
            in a step; None: every sensor with an input is.
        :returns: class scores, the new state and, if requested, firing rates.
        :raises ValueError: the state is of another network, batch, size, dtype or device, or there
            is no input.
        """
        if self.config.analogue:
            state = None
        if state is not None:
            self.check_names(state)
        self.check_inputs(images, events)
        if isinstance(elapsed, Tensor):
            elapsed = elapsed.view(-1, 1, 1, 1)
        given = images if events is None else events
        if self.config.recall and len(given) > 1:
            return self.step_by_step((images, events, present), state, rates, elapsed)
        membranes = Membranes(state, rates, elapsed)
        encoded = self._encode(images, events, present, membranes)
        return Prediction(self._decode(encoded, given.shape[-2:], membranes),
                          membranes.after, membranes.rates)

    def _encode(self, images: Tensor | None, events: Tensor | None, present: Tensor | None,
                membranes: Membranes) -> list[Tensor]:
        """Return the current at the end of each scale, finest first."""
        x, from_events = self._stems(images, events, present)
        encoded = []
        for row, blocks in zip(self.config.encoder, self.encoder):
            quarter = row[2] == 2 and not encoded
            joined = quarter and from_events is not None
            if joined:
                # Without input, the norms of the blocks at 1/2 still add a current.
                x = x * presence(images, present, CAMERA)
            if row[2] == 2:
                encoded.append(x + from_events if joined else x)
            for index, block in enumerate(blocks):
                x = block(x, membranes)
                if joined and index == 0:
                    y = self.events.down(from_events, membranes)
                    x = self.events.fuse(x * presence(images, present, CAMERA),
                                         y * presence(events, present, EVENTS), membranes)
                if quarter and index == 0 and self.config.encoder_recall:
                    x = self.encoder_recall(x, membranes)
                    self._store(self.encoder_recall, x, membranes)
        return [*encoded, x]

    def _stems(self, images: Tensor | None, events: Tensor | None, present: Tensor | None
               ) -> tuple[Tensor, Tensor | None]:
        """Return the currents of camera and events, 0 where a sensor is absent."""
        if not self.config.events:
            return self.stem(images), None
        return stem_currents(self.stem, self.events.stem, images, events, present)

    def _decode(self, encoded: list[Tensor], full: torch.Size, membranes: Membranes
                ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the class scores at 1/4, 1/2 and full scale."""
        x, decoded = encoded[-1], []
        for scale in reversed(range(len(encoded))):
            if scale < len(encoded) - 1:
                x = self.up[scale](x, encoded[scale].shape[-2:], membranes)
                x = x + self.lateral[scale](encoded[scale], membranes)
            recall = self.recall_at(scale)
            if recall is not None:
                x = recall(x, membranes)
            for block in self.decoder[scale]:
                x = block(x, membranes)
            if recall is not None:
                self._store(recall, x, membranes)
            decoded.append(x)
        quarter, half = decoded[-2:]
        detail = self.detail(half, full, membranes)
        quarter, half = self.heads[0](quarter, membranes), self.heads[1](half, membranes)
        enlarged = per_image(lambda y: enlarge(y, full), half)
        return quarter, half, enlarged + self.heads[2](detail, membranes)

    def _store(self, recall: Recall, x: Tensor, membranes: Membranes) -> None:
        """Store a current for the next step; an artificial network has none."""
        if not self.config.analogue:
            recall.store(x, membranes)

    def recall_at(self, scale: int) -> Recall | None:
        """Return the recurrent block of a scale."""
        index = scale - (len(self.decoder) - 2)
        return self.recall[index] if self.config.recall and index >= 0 else None

    def currents(self) -> list[SharedCurrent]:
        """Return all currents of the network, in which the scales of neurons are set."""
        private: list[SharedCurrent] = []
        ends, current = [], SharedCurrent([self.stem], [])
        for row, blocks in zip(self.config.encoder, self.encoder):
            quarter = row[2] == 2 and not ends
            joined = quarter and self.config.events
            if joined:
                # Both sensors are summed in the decoder: their currents have one scale.
                current.writers.append(self.events.stem)
                current.readers.append(self.events.down)
            if row[2] == 2:
                ends.append(current)
            for index, block in enumerate(blocks):
                current.readers.append(getattr(block, 'expand', block.depthwise))
                private += _inside(block)
                if block.shortcut:
                    current.writers.append(block.project)
                else:
                    private.append(current)
                    current = SharedCurrent([block.project], [])
                if joined and index == 0:
                    join = self.events.join
                    current.writers.extend([self.events.down, join.project])
                    current.readers.append(join.expand)
                    private += _inside(join)
                if quarter and index == 0 and self.config.encoder_recall:
                    current.readers.append(self.encoder_recall.expand)
                    current.writers.append(self.encoder_recall.project)
                    private += _inside(self.encoder_recall)
        ends.append(current)
        for scale in reversed(range(len(ends))):
            if scale < len(ends) - 1:
                # The current of the coarser scale ends here.
                current.readers.append(self.up[scale])
                ends[scale].readers.append(self.lateral[scale])
                private.append(current)
                current = SharedCurrent([self.up[scale], self.lateral[scale]], [])
            recall = self.recall_at(scale)
            for block in (*([recall] if recall is not None else []), *self.decoder[scale]):
                current.readers.append(block.expand)
                current.writers.append(block.project)
                private += _inside(block)
            if scale <= 1:
                current.readers.append(self.heads[1 - scale])
        current.readers.append(self.detail)
        return [*private, current, SharedCurrent([self.detail], [self.heads[2]])]


def _inside(block: Bottleneck | EFSRes) -> list[SharedCurrent]:
    """Return the currents inside a block."""
    pairs = [SharedCurrent([block.depthwise], [block.project])]
    if hasattr(block, 'expand'):
        pairs.append(SharedCurrent([block.expand], [block.depthwise]))
    return pairs
