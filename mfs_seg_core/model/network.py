# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MFSSeg: a spiking U-shaped network with predictions at 1/4, 1/2 and full scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mfs_seg_core.model.baseline_blocks import BLOCKS, MembraneConv
from mfs_seg_core.model.blocks import (
    Attend,
    EventInput,
    Fuse,
    Head,
    ImageBranch,
    Membranes,
    Neuron,
    Recall,
    Spiking,
    SpikingConv,
    State,
    Stem,
    Up,
    per_image,
    resize,
    side_by_side,
)


@dataclass(frozen=True)
class Config:
    """
    The shape of a network.

    :param classes: number of classes K.
    :param steps: time steps an image was trained and is evaluated with (a stream takes one).
    :param levels: D, the largest value of a spike.
    :param leak: share of a membrane potential left after one nominal step.
    :param expansion: width of an EFS-Res block's inside, in multiples of its outside.
    :param stem_stride: 1, or 2 to keep the work away from full resolution.
    :param widths: channels of the three encoder scales; each is half the size of the one before.
    :param kernels: for each encoder scale, the depthwise kernel size of each of its EFS-Res
        blocks. Large kernels at small scale see the whole image; dilation would be no cheaper.
    :param decoder_blocks: EFS-Res blocks of the decoder at each of the same three scales.
    :param mimo: MIMO-UNet's image pyramid, fusion of all scales and transposed convolutions
        (Cho et al., ICCV 2021), as MFS-Seg's authors use; else sums of same-scale features.
    :param detail: channels at full resolution when ``stem_stride`` is 2.
    :param inputs: channels of an image; of an event tensor, where a network sees events only.
    :param block: residual block, one of :data:`mfs_seg_core.model.baseline_blocks.BLOCKS`.
    :param full_spike: fire before the convolutions that change shape; False, to compare with.
    :param events: channels of the event tensor that a network sees beside a camera's image; 0:
        it sees one sense.
    :param learn_leak: learn a leak for each channel, from ``leak`` on.
    :param recall: feed what the decoder made of the step before into the encoder, at its 2nd and
        3rd scale.
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
        if self.block not in BLOCKS:
            raise ValueError(f'no block {self.block!r}: choose from {", ".join(BLOCKS)}')


CONFIGS = {
    # The port of MIMO-UNet that the published code and the claimed parameter count point to.
    'paper': dict(steps=5, levels=1, leak=0.25, expansion=4, stem_stride=1, widths=(32, 64, 128),
                  kernels=((3,), (3,), (3,)), decoder_blocks=(1, 1, 1), mimo=True),
    # One integer step; nearly all work at 1/4 and 1/8 scale.
    'fast': dict(steps=1, levels=4, leak=0.25, expansion=2, stem_stride=2, widths=(16, 48, 96),
                 kernels=((), (3,), (5, 5, 7, 7, 5, 5)), decoder_blocks=(0, 1, 0),
                 mimo=False, detail=8, learn_leak=True, recall=True),
}


def named_config(name: str, classes: int, **changes) -> Config:
    """Give the configuration ``name`` ('paper' or 'fast'), with ``changes`` to its fields."""
    if name not in CONFIGS:
        raise ValueError(f'no configuration {name!r}: choose from {", ".join(CONFIGS)}')
    return Config(classes=classes, **{**CONFIGS[name], **changes})


class Prediction(NamedTuple):
    """
    What a pass through the network gives.

    ``logits``: class scores ``[T, B, K, h, w]`` at 1/4, 1/2 and full scale.
    ``state``: every membrane potential ``[B, C, h, w]`` by neuron name, after the last step, and
        the recalled currents by the name of their block.
    ``rates``: mean spikes of a neuron in a step, ``[B]``, by neuron name; empty unless asked for.
    """

    logits: tuple[Tensor, ...]
    state: State
    rates: dict[str, Tensor]


class MFSSeg(nn.Module):
    """
    The network: stem, three encoder scales of EFS-Res blocks, decoder, three heads.

    A call takes T steps from a state; T = 1 in a stream. No state is held inside.
    """

    def __init__(self, config: Config):
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
                raise ValueError('a network with an image pyramid (mimo) sees one sense: choose '
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

        for name, module in self.named_modules():
            if isinstance(module, (Neuron, Recall)):
                module.name = name

    def forward(self, images: Tensor | None, state: State | None = None, rates: bool = False,
                elapsed: float | Tensor = 1.0, events: Tensor | None = None,
                seen: Tensor | None = None) -> Prediction:
        """
        Take T time steps.

        :param images: ``[T, B, C, H, W]``, normalised pixels, one image a step; C is 3 for RGB.
            None: the camera sees nothing in these steps, and injects no current.
        :param state: as returned by the call before for the same streams; None: all at rest.
        :param rates: measure the firing rate of each neuron layer.
        :param elapsed: time from the last step of ``state`` to the first of these, in nominal
            steps, above 0; a tensor ``[B]`` for streams of their own pace. The others follow
            after one nominal step each.
        :param events: ``[T, B, E, H, W]``, event tensors, for a network with ``config.events`` of
            E channels; None: no sensor of events.
        :param seen: bool ``[T, B, 2]``, whether a stream's camera, and its events, are there in a
            step; None: what is given is there.
        :raises ValueError: the state is of another network, batch, size, dtype or device; there
            is nothing to see.
        """
        if state is not None:
            self._check_names(state)
        if (images is None and events is None) or (events is not None and not self.config.events):
            raise ValueError('the network needs '
                             + ('images, events or both' if self.config.events else 'images'))
        if isinstance(elapsed, Tensor):
            elapsed = elapsed.view(-1, 1, 1, 1)
        given = images if events is None else events
        if self.config.recall and len(given) > 1:
            return self._one_by_one(len(given), (images, events, seen), state, rates, elapsed)
        membranes = Membranes(state, rates, elapsed)
        encoded = self._encode(images, events, seen, membranes)
        return Prediction(self._decode(encoded, given.shape[-2:], membranes),
                          membranes.after, membranes.rates)

    def _one_by_one(self, steps: int, inputs: tuple[Tensor | None, ...], state: State | None,
                    rates: bool, elapsed: float | Tensor) -> Prediction:
        """Take T steps one after the other: each needs what became of the one before."""
        predictions = []
        for t in range(steps):
            image, events, seen = (None if x is None else x[t:t + 1] for x in inputs)
            predictions.append(self(image, state, rates, elapsed, events, seen))
            state, elapsed = predictions[-1].state, 1.0
        logits = tuple(torch.cat(scale) for scale in zip(*(p.logits for p in predictions)))
        means = {name: torch.stack([p.rates[name] for p in predictions]).mean(0)
                 for name in predictions[0].rates}
        return Prediction(logits, state, means)

    def _encode(self, images: Tensor | None, events: Tensor | None, seen: Tensor | None,
                membranes: Membranes) -> list[Tensor]:
        """Give the current at the three encoder scales, finest first."""
        x, beside = self._stems(images, events, seen)
        encoded = []
        for scale, blocks in enumerate(self.encoder):
            if scale > 0:
                x = self.down[scale - 1](x, membranes)
                if scale == 1 and beside is not None:
                    there = _there(images, seen, 0), _there(events, seen, 1)
                    y = self.events.down(beside, membranes)
                    x = self.events.meet(x * there[0], y * there[1], membranes)
                if self.config.mimo:
                    image = self.image[scale - 1](resize(images, x.shape[-2:]), membranes)
                    x = self.attend[scale - 1](x, image, membranes)
                if self.config.recall:
                    x = self.recall[scale - 1](x, membranes)
            for block in blocks:
                x = block(x, membranes)
            encoded.append(x if scale > 0 or beside is None else x + beside)
        return encoded

    def _stems(self, images: Tensor | None, events: Tensor | None, seen: Tensor | None
               ) -> tuple[Tensor, Tensor | None]:
        """Give the current of the camera and that of the events, 0 where a sense is absent."""
        if not self.config.events:
            return self.stem(images), None
        # The norm of a stem learns from what a sense would have shown, seen or not.
        camera = None if images is None else self.stem(images) * _there(images, seen, 0)
        beside = None if events is None else self.events.stem(events) * _there(events, seen, 1)
        if camera is None:
            camera = torch.zeros_like(beside)
        return camera, torch.zeros_like(camera) if beside is None else beside

    def _decode(self, encoded: list[Tensor], full: torch.Size, membranes: Membranes
                ) -> tuple[Tensor, Tensor, Tensor]:
        """Give the class scores at 1/4, 1/2 and full scale."""
        decoded = []
        for scale in (2, 1, 0):
            if scale == 2:
                x = encoded[2]
            else:
                size = encoded[scale].shape[-2:]
                x = self.up[scale](x, size, membranes)
                if self.config.mimo:
                    fused = self.fuse[scale](encoded, size, membranes)
                    x = self.merge[scale](side_by_side(x, fused), membranes)
                else:
                    x = x + encoded[scale]
            for block in self.decoder[scale]:
                x = block(x, membranes)
            if self.config.recall and scale > 0:
                self.recall[scale - 1].keep(x, membranes)
            decoded.append(x)
        if self.config.stem_stride == 1:
            return tuple(head(x, membranes) for head, x in zip(self.heads, decoded))

        _, quarter, half = decoded
        detail = self.detail(half, full, membranes)
        quarter = self.heads[0](quarter, membranes)
        half = self.heads[1](half, membranes)
        rough = per_image(
            lambda y: functional.interpolate(y, size=full, mode='bilinear'), half)
        return quarter, half, rough + self.heads[2](detail, membranes)

    @torch.no_grad()
    def init_state(self, batch: int, height: int, width: int) -> State:
        """
        Give the state of ``batch`` streams of ``height`` x ``width`` images, all at rest: zeros.

        The shapes come from a pass over a blank image, in the dtype and on the device of the
        weights.
        """
        blank = next(self.parameters()).new_zeros(1, batch, self.config.inputs, height, width)
        training = self.training
        state = self.eval()(blank).state
        self.train(training)
        return {name: torch.zeros_like(potential) for name, potential in state.items()}

    def _check_names(self, state: State) -> None:
        ours = {module.name for module in self.modules() if isinstance(module, (Neuron, Recall))}
        if ours != state.keys():
            raise ValueError(
                f'the state is of another network: {len(ours - state.keys())} of {len(ours)} '
                f'potentials are missing from it, {len(state.keys() - ours)} are unknown; '
                'start from init_state() or None')


def _there(given: Tensor | None, seen: Tensor | None, sense: int) -> float | Tensor:
    """Give 1 where a sense is there, else 0: one number, or ``[T, B, 1, 1, 1]``."""
    if given is None or seen is None:
        return float(given is not None)
    return seen[..., sense, None, None, None]


def fold_norms(network: MFSSeg) -> MFSSeg:
    """Fold each batch norm into the convolution before it, in place, for inference only."""
    for module in network.modules():
        if isinstance(getattr(module, 'norm', None), nn.BatchNorm2d):
            transposed = isinstance(module.conv, nn.ConvTranspose2d)
            module.conv = fuse_conv_bn_eval(module.conv, module.norm, transposed)
            module.norm = nn.Identity()
    return network


class Step(nn.Module):
    """One time step with state in and state out, plain tensors all: the form to export."""

    def __init__(self, network: MFSSeg):
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, state: State) -> tuple[Tensor, State]:
        """
        Advance one step.

        :param image: ``[B, C, H, W]``, normalised pixels.
        :returns: class scores ``[B, K, H, W]`` at full scale and the new state.
        """
        prediction = self.network(image.unsqueeze(0), state)
        return prediction.logits[-1][0], prediction.state
