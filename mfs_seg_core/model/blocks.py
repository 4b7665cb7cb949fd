# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Layers of the spiking network: each takes and gives input *current*, and fires before it convolves.

Tensors are ``[T, B, C, H, W]``: T time steps of B independent streams. Convolutions and batch norm
see the T * B images as one batch; only the neurons know of time.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from mfs_seg_core.model.batch_norm import ThresholdBatchNorm
from mfs_seg_core.model.neuron import LIF, check_potential

# Membrane potentials [B, C, H, W] by the name of their neuron.
State = dict[str, Tensor]


@dataclass(frozen=True)
class Spiking:
    """What all neurons of a network share; see :class:`~mfs_seg_core.model.neuron.LIF`."""

    levels: int
    leak: float
    learn_leak: bool


class Membranes:
    """The potentials of one pass through the network: before it, and after it as neurons step."""

    def __init__(self, before: State | None, measure_rates: bool = False,
                 elapsed: float | Tensor = 1.0):
        self.before = before
        self.elapsed = elapsed
        self.after: State = {}
        self.measure_rates = measure_rates
        self.rates: dict[str, Tensor] = {}

    def fire(self, neuron: Neuron, current: Tensor) -> Tensor:
        """Step ``neuron`` through the current ``[T, B, C, H, W]`` and keep its new potential."""
        potential = None if self.before is None else self.before[neuron.name]
        try:
            spikes, self.after[neuron.name] = neuron.run(current, potential, self.elapsed)
        except ValueError as error:
            raise ValueError(f'neuron {neuron.name}: {error}') from None
        if self.measure_rates:
            self.rates[neuron.name] = spikes.detach().mean((0, 2, 3, 4), dtype=torch.float32)
        return spikes

    def recall(self, name: str, like: Tensor) -> Tensor:
        """Give the current ``[1, B, C, H, W]`` that was kept a step ago; at rest, 0."""
        if self.before is None:
            return torch.zeros_like(like)
        try:
            check_potential(like[0], self.before[name])
        except ValueError as error:
            raise ValueError(f'{name}: {error}') from None
        return self.before[name].unsqueeze(0)


class Neuron(LIF):
    """LIF that knows the name under which the network keeps its potential."""

    def __init__(self, channels: int, spiking: Spiking):
        super().__init__(spiking.levels, spiking.leak, channels if spiking.learn_leak else 0)
        self.name = ''


def per_image(layer, x: Tensor) -> Tensor:
    """Apply ``layer``, made for ``[N, C, H, W]``, to each of the T * B images of ``x``."""
    if len(x) == 1:
        # Merging and splitting dimensions of size 1 loses the strides that tell of channels last.
        return layer(x[0]).unsqueeze(0)
    y = layer(x.flatten(0, 1))
    return y.unflatten(0, x.shape[:2])


def side_by_side(*currents: Tensor) -> Tensor:
    """Join the channels of currents ``[T, B, C, H, W]``, each of its own C."""
    if len(currents[0]) == 1:
        # With five dimensions, the result would not be channels last, whatever it is made of.
        return torch.cat([x[0] for x in currents], dim=1).unsqueeze(0)
    return torch.cat(currents, dim=2)


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Repeat or pick elements (nearest) so that ``x`` has height and width ``size``."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    return per_image(lambda y: functional.interpolate(y, size=size, mode='nearest'), x)


class Conv(nn.Conv2d):
    """Convolution; of size 1x1, a matrix product over channels-last pixels, which spares copies."""

    def forward(self, x: Tensor) -> Tensor:
        if self.kernel_size == (1, 1):
            pixels = x.permute(0, 2, 3, 1)
            return functional.linear(pixels, self.weight[:, :, 0, 0], self.bias).permute(0, 3, 1, 2)
        return super().forward(x)


class Stem(nn.Module):
    """Convolution and norm: turns real-valued pixels into current. The only layer with MACs."""

    def __init__(self, inputs: int, outputs: int, spiking: Spiking, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm = ThresholdBatchNorm(outputs, spiking.levels)

    def forward(self, x: Tensor) -> Tensor:
        return per_image(lambda y: self.norm(self.conv(y)), x)


class SpikingConv(nn.Module):
    """LIF, convolution, threshold-dependent batch norm."""

    def __init__(self, inputs: int, outputs: int, spiking: Spiking, kernel: int = 1,
                 stride: int = 1, groups: int = 1, gain: float = 1.0):
        super().__init__()
        self.lif = Neuron(inputs, spiking)
        self.conv = Conv(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups,
                         bias=False)
        self.norm = ThresholdBatchNorm(outputs, spiking.levels, gain)

    def forward(self, x: Tensor, membranes: Membranes) -> Tensor:
        spikes = membranes.fire(self.lif, x)
        return per_image(lambda y: self.norm(self.conv(y)), spikes)


class EFSRes(nn.Module):
    """
    Efficient full-spike residual block: an inverted bottleneck on a membrane shortcut.

    ``x + project(depthwise(expand(x)))``, each of the three a :class:`SpikingConv`: the
    convolutions see spikes only, and the shortcut carries current past them untouched.
    Our reading of Su et al. 2024; the paper's own layer order is not public.
    """

    # EMS-YOLO starts the last norm of a branch at 0.2 of the threshold.
    LAST_GAIN = 0.2

    def __init__(self, channels: int, expansion: int, spiking: Spiking, kernel: int = 3,
                 inputs: int = 0, separable: bool = True):
        """
        :param inputs: channels that the branch sees; 0: those of the shortcut.
        :param separable: False: the convolution in the middle mixes channels too; to compare with.
        """
        super().__init__()
        hidden = channels * expansion
        self.expand = SpikingConv(inputs or channels, hidden, spiking)
        self.depthwise = SpikingConv(hidden, hidden, spiking, kernel=kernel,
                                     groups=hidden if separable else 1)
        self.project = SpikingConv(hidden, channels, spiking, gain=self.LAST_GAIN)

    def forward(self, x: Tensor, membranes: Membranes) -> Tensor:
        return x + self.branch(x, membranes)

    def branch(self, x: Tensor, membranes: Membranes) -> Tensor:
        return self.project(self.depthwise(self.expand(x, membranes), membranes), membranes)


class EventInput(nn.Module):
    """
    The way of events into a network that has a camera too: a stem and a first shape change of
    their own, and a block that joins both senses.

    A spiking layer comes before the senses meet, so that the noise of one stays below the
    threshold, and does not drown the other.
    """

    def __init__(self, inputs: int, widths: tuple[int, int], expansion: int, spiking: Spiking,
                 stride: int):
        """:param widths: channels of the network's first two scales."""
        super().__init__()
        self.stem = Stem(inputs, widths[0], spiking, stride)
        self.down = SpikingConv(widths[0], widths[1], spiking, kernel=3, stride=2)
        self.join = EFSRes(widths[1], expansion, spiking, kernel=5, inputs=2 * widths[1])
        # Starts as the sum of both.
        nn.init.zeros_(self.join.project.norm.weight)

    def meet(self, camera: Tensor, events: Tensor, membranes: Membranes) -> Tensor:
        """Join the currents of both senses at the second scale; zeros for one that is absent."""
        both = side_by_side(camera, events)
        return camera + events + self.join.branch(both, membranes)


class Recall(EFSRes):
    """
    ``x + branch([x, y])``: a recurrence of spikes, with y what the same scale of the decoder made
    of the step before.

    Membrane potentials alone carry over what spikes did not yet tell. This carries over what was
    understood, and its depthwise convolution can follow a camera that moves. y is part of the
    state, 0 at rest. Takes one step at a time, T = 1.
    """

    # Starts as if there were no past.
    LAST_GAIN = 0.0
    KERNEL = 5

    def __init__(self, channels: int, expansion: int, spiking: Spiking):
        super().__init__(channels, expansion, spiking, self.KERNEL, inputs=2 * channels)
        self.name = ''

    def forward(self, x: Tensor, membranes: Membranes) -> Tensor:
        past = membranes.recall(self.name, x)
        return x + self.branch(side_by_side(x, past), membranes)

    def keep(self, y: Tensor, membranes: Membranes) -> None:
        """Keep y ``[1, B, C, H, W]`` for the next step."""
        membranes.after[self.name] = y[0]


class Up(nn.Module):
    """LIF, then twice the size: by a transposed convolution, or by interpolating a 1x1 one."""

    def __init__(self, inputs: int, outputs: int, spiking: Spiking, kernel: int = 0):
        """:param kernel: size of the transposed convolution, 2 or 4; 0: interpolate."""
        super().__init__()
        self.lif = Neuron(inputs, spiking)
        if kernel:
            self.conv = nn.ConvTranspose2d(inputs, outputs, kernel, 2, padding=kernel // 2 - 1,
                                           bias=False)
        else:
            self.conv = Conv(inputs, outputs, 1, bias=False)
        self.norm = ThresholdBatchNorm(outputs, spiking.levels)

    def forward(self, x: Tensor, size: tuple[int, int], membranes: Membranes) -> Tensor:
        """Give current of height and width ``size``, about twice that of ``x``."""
        spikes = membranes.fire(self.lif, x)
        current = per_image(lambda y: self.norm(self.conv(y)), spikes)
        if isinstance(self.conv, nn.ConvTranspose2d):
            return current[..., :size[0], :size[1]]
        return per_image(lambda y: functional.interpolate(y, size=size, mode='bilinear'), current)


class Head(nn.Module):
    """LIF and convolution: class scores from spikes."""

    def __init__(self, inputs: int, classes: int, spiking: Spiking, kernel: int):
        super().__init__()
        self.lif = Neuron(inputs, spiking)
        self.conv = Conv(inputs, classes, kernel, padding=kernel // 2)

    def forward(self, x: Tensor, membranes: Membranes) -> Tensor:
        return per_image(self.conv, membranes.fire(self.lif, x))


class ImageBranch(nn.Module):
    """Current from a smaller copy of the image (MIMO-UNet's SCM), firing before it convolves."""

    def __init__(self, inputs: int, outputs: int, spiking: Spiking):
        super().__init__()
        self.stem = Stem(inputs, outputs // 4, spiking)
        self.widen = SpikingConv(outputs // 4, outputs // 2, spiking)
        self.mix = SpikingConv(outputs // 2, outputs // 2, spiking, kernel=3)
        self.narrow = SpikingConv(outputs // 2, outputs - inputs, spiking)
        self.join = SpikingConv(outputs, outputs, spiking)

    def forward(self, image: Tensor, membranes: Membranes) -> Tensor:
        x = self.widen(self.stem(image), membranes)
        x = self.narrow(self.mix(x, membranes), membranes)
        return self.join(side_by_side(x, image), membranes)


class Attend(nn.Module):
    """
    Feature attention (MIMO-UNet's FAM) without a product: ``f + conv(min(spikes of f, of z))``.

    For binary spikes the minimum is a logical AND, so the convolution still sees spikes.
    """

    def __init__(self, channels: int, spiking: Spiking):
        super().__init__()
        self.lif = Neuron(channels, spiking)
        self.image_lif = Neuron(channels, spiking)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = ThresholdBatchNorm(channels, spiking.levels)

    def forward(self, features: Tensor, image: Tensor, membranes: Membranes) -> Tensor:
        spikes = torch.minimum(membranes.fire(self.lif, features),
                               membranes.fire(self.image_lif, image))
        return features + per_image(lambda y: self.norm(self.conv(y)), spikes)


class Fuse(nn.Module):
    """All scales of the encoder, resized to one and mixed (MIMO-UNet's AFF)."""

    def __init__(self, inputs: int, outputs: int, spiking: Spiking):
        super().__init__()
        self.mix = SpikingConv(inputs, outputs, spiking)
        self.smooth = SpikingConv(outputs, outputs, spiking, kernel=3)

    def forward(self, scales: list[Tensor], size: tuple[int, int], membranes: Membranes) -> Tensor:
        x = side_by_side(*(resize(scale, size) for scale in scales))
        return self.smooth(self.mix(x, membranes), membranes)
