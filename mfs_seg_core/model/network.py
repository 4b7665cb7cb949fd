# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MFSSeg: a spiking U-shaped network with predictions at 1/4, 1/2 and full scale."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mfs_seg_core.model.baseline_blocks import BLOCKS, MembraneConv
from mfs_seg_core.model.blocks import EventInput, Head, Recall, SpikingConv, Stem, Up
from mfs_seg_core.model.config import Config
from mfs_seg_core.model.layout import concatenate_channels, enlarge, per_image, resize
from mfs_seg_core.model.mimo import Attend, Fuse, ImageBranch
from mfs_seg_core.model.sensors import CAMERA, EVENTS, presence, stem_currents
from mfs_seg_core.model.state import Membranes, Spiking, State
from mfs_seg_core.model.stateful import Prediction, Stateful


class MFSSeg(Stateful):
    """
    The spiking network: stem, three encoder scales of EFS-Res blocks, decoder, three heads.

    A call takes T steps from a state; T = 1 in a stream. The network holds no state.
    """

    def __init__(self, config: Config):
        """
        Create an untrained network.

        :param config: dimensions and options.
        :raises ValueError: the options exclude each other.
        """
        super().__init__()
        self.config = config
        spiking = Spiking(config.levels, config.leak, config.learn_leak)
        widths, mimo = config.widths, config.mimo

        self.stem = Stem(config.inputs, widths[0], spiking, config.stem_stride)
        block, narrow = BLOCKS[config.block], SpikingConv if config.full_spike else MembraneConv
        self.down = nn.ModuleList(
            narrow(widths[i], widths[i + 1], spiking, kernel=3, stride=2) for i in (0, 1))
        self.encoder = nn.ModuleList(
            nn.ModuleList(block(width, config.expansion, spiking, kernel=kernel)
                          for kernel in kernels)
            for width, kernels in zip(widths, config.kernels))
        if config.events:
            if mimo:
                raise ValueError('a network with an image pyramid (mimo) takes images only: choose '
                                 "the configuration 'fast' for camera and events")
            self.events = EventInput(config.events, widths[:2], config.expansion, spiking,
                                     config.stem_stride)
        if config.recall:
            self.recall = nn.ModuleList(
                Recall(widths[i], config.expansion, spiking) for i in (1, 2))
        self.decoder = nn.ModuleList(
            nn.ModuleList(block(width, config.expansion, spiking) for _ in range(blocks))
            for width, blocks in zip(widths, config.decoder_blocks))
        self.up = nn.ModuleList(
            Up(widths[i + 1], widths[i], spiking, kernel=4 if mimo else 0) for i in (0, 1))
        if mimo:
            self.image = nn.ModuleList(
                ImageBranch(config.inputs, widths[i], spiking) for i in (1, 2))
            self.attend = nn.ModuleList(Attend(widths[i], spiking) for i in (1, 2))
            self.fuse = nn.ModuleList(Fuse(sum(widths), widths[i], spiking) for i in (0, 1))
            self.merge = nn.ModuleList(
                SpikingConv(2 * widths[i], widths[i], spiking) for i in (0, 1))
        if config.stem_stride == 2:
            # Four sub-pixels from each pixel: full resolution with little work at it.
            self.detail = Up(widths[0], config.detail, spiking, kernel=2)
            head_widths = (widths[1], widths[0], config.detail)
        else:
            head_widths = (widths[2], widths[1], widths[0])
        self.heads = nn.ModuleList(Head(width, config.classes, spiking, kernel=3 if mimo else 1)
                                   for width in head_widths)

        self.name_neurons()

    def forward(self, images: Tensor | None, state: State | None = None, rates: bool = False,
                elapsed: float | Tensor = 1.0, events: Tensor | None = None,
                present: Tensor | None = None) -> Prediction:
        """
        Advance T time steps.

        :param images: ``[T, B, C, H, W]``, normalised pixels, one image per step; C is 3 for RGB.
            None: the camera is absent in these steps and injects no current.
        :param state: as returned by the call before for the same streams; None: all at rest.
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
        """Return the current at the three encoder scales, finest first."""
        x, from_events = self._stems(images, events, present)
        encoded = []
        for scale, blocks in enumerate(self.encoder):
            if scale > 0:
                x = self.down[scale - 1](x, membranes)
                if scale == 1 and from_events is not None:
                    y = self.events.down(from_events, membranes)
                    x = self.events.fuse(x * presence(images, present, CAMERA),
                                         y * presence(events, present, EVENTS), membranes)
                if self.config.mimo:
                    image = self.image[scale - 1](resize(images, x.shape[-2:]), membranes)
                    x = self.attend[scale - 1](x, image, membranes)
                if self.config.recall:
                    x = self.recall[scale - 1](x, membranes)
            for block in blocks:
                x = block(x, membranes)
            encoded.append(x if scale > 0 or from_events is None else x + from_events)
        return encoded

    def _stems(self, images: Tensor | None, events: Tensor | None, present: Tensor | None
               ) -> tuple[Tensor, Tensor | None]:
        """Return the currents of camera and events, 0 where a sensor is absent."""
        if not self.config.events:
            return self.stem(images), None
        return stem_currents(self.stem, self.events.stem, images, events, present)

    def _decode(self, encoded: list[Tensor], full: torch.Size, membranes: Membranes
                ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the class scores at 1/4, 1/2 and full scale."""
        decoded = []
        for scale in (2, 1, 0):
            if scale == 2:
                x = encoded[2]
            else:
                size = encoded[scale].shape[-2:]
                x = self.up[scale](x, size, membranes)
                if self.config.mimo:
                    fused = self.fuse[scale](encoded, size, membranes)
                    x = self.merge[scale](concatenate_channels(x, fused), membranes)
                else:
                    x = x + encoded[scale]
            for block in self.decoder[scale]:
                x = block(x, membranes)
            if self.config.recall and scale > 0:
                self.recall[scale - 1].store(x, membranes)
            decoded.append(x)
        if self.config.stem_stride == 1:
            return tuple(head(x, membranes) for head, x in zip(self.heads, decoded))

        _, quarter, half = decoded
        detail = self.detail(half, full, membranes)
        quarter = self.heads[0](quarter, membranes)
        half = self.heads[1](half, membranes)
        enlarged = per_image(lambda y: enlarge(y, full), half)
        return quarter, half, enlarged + self.heads[2](detail, membranes)


def fold_norms(network: Stateful) -> Stateful:
    """Fold each batch norm into the convolution before it, in place, for inference only."""
    for module in network.modules():
        if isinstance(getattr(module, 'norm', None), nn.BatchNorm2d):
            transposed = isinstance(module.conv, nn.ConvTranspose2d)
            module.conv = fuse_conv_bn_eval(module.conv, module.norm, transposed)
            module.norm = nn.Identity()
    return network
