# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A compiled network: operations over planes, with their constants; of any image size.

A plane has the channels of each pixel side by side. Its size is a level: level 0 is the size of
the input, and each further level half of the one before, rounded up. Channels are padded with
zeros to whole registers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mfs_seg_core.engine.layout import PANEL


class UnsupportedNetworkError(ValueError):
    """The engine has no operations for a network; the message names the part."""


def padded(channels: int, multiple: int = PANEL) -> int:
    """Return the channels that a plane holds for these."""
    return -(-channels // multiple) * multiple


@dataclass(frozen=True)
class Plane:
    """
    Numbers of all pixels.

    :param kind: 'current' or 'pixels' (float32) or 'spikes' (uint8), which exist during a step;
        'potential' (float32 or float16) or 'past' (float32), which are kept between steps.
    :param channels: channels of each of the currents that are side by side in it.
    :param level: its size.
    :param border: pixels around it, for a convolution to read.
    :param pairs: its width is rounded up to even, and operations write pairs of pixels.
    :param name: name in the state.
    :param least: of spikes, the smallest one, 0 or -D; the plane holds the differences to it.
    """

    kind: str
    channels: tuple[int, ...]
    level: int
    border: int = 0
    pairs: bool = False
    name: str = ''
    least: int = 0

    @property
    def pixel(self) -> int:
        """Elements from one pixel to the next."""
        return sum(map(self.width, self.channels))

    @property
    def starts(self) -> list[int]:
        """First element of each of the currents in a pixel."""
        return [sum(map(self.width, self.channels[:i])) for i in range(len(self.channels))]

    def width(self, channels: int) -> int:
        """Return the elements of a current of so many channels."""
        # Those of a pair of pixels are padded together.
        return channels if self.kind == 'pixels' else padded(channels, PANEL // (1 + self.pairs))


@dataclass(frozen=True)
class Neurons:
    """
    Neurons that take the current of an operation.

    :param state: plane of their potentials.
    :param spikes: plane of their spikes.
    :param place: index of the current in both planes.
    :param leaks: leak of each padded channel.
    :param high: largest spike, D; the plane of spikes has the smallest.
    :param hard: a spike resets the potential to 0.
    """

    state: int
    spikes: int
    place: int
    leaks: np.ndarray
    high: int
    hard: bool = False


@dataclass
class Operation:
    """
    A current, and what takes it.

    :param source: one of :data:`mfs_seg_core.engine.layout.SOURCES`.
    :param level: size of the current.
    :param channels: padded channels of the current; of a pair of pixels where ``part`` is given.
    :param part: 0 or 1: the current is that of the even or odd rows, two pixels at a time.
    :param input: plane that is convolved.
    :param kernel: size of the convolution.
    :param stride: its stride.
    :param gate: sensor without which there is no current, 1 for the camera, 2 for events.
    :param flush: groups or taps whose products 16 bits can sum up.
    :param weights: weights as the kernels read them; of a depthwise convolution, int8
        ``[C, k, k]``, as their order depends on the kernels.
    :param scale: current of each channel for a product of 1.
    :param bias: current of each channel without spikes.
    :param adds: planes that are added, and whether they are interpolated.
    :param stores: planes that the current is written to.
    :param neurons: neurons that take it.
    :param classes: number of classes, if this is the current of the class scores.
    """

    source: str
    level: int
    channels: int
    part: int | None = None
    input: int | None = None
    kernel: int = 1
    stride: int = 1
    gate: int = 0
    flush: int = 1
    weights: np.ndarray | None = None
    scale: np.ndarray | None = None
    bias: np.ndarray | None = None
    adds: list[tuple[int, bool]] = field(default_factory=list)
    stores: list[int] = field(default_factory=list)
    neurons: list[Neurons] = field(default_factory=list)
    classes: int = 0


@dataclass(frozen=True)
class Cost:
    """
    Multiplications of a convolution for an image, by which its energy is estimated.

    :param layer: name of the neurons whose spikes it takes; empty: it takes an input.
    :param products: multiplications for each pixel.
    :param level: size that has these pixels.
    :param sensor: sensor whose input it takes, 1 for the camera, 2 for events; 0: none.
    """

    layer: str
    products: int
    level: int
    sensor: int = 0


@dataclass(frozen=True)
class Program:
    """
    A compiled network.

    :param planes: planes, which operations name by index.
    :param operations: operations, in the order of execution.
    :param inputs: channels of the image and of the event tensor, 0 where there is none.
    :param classes: number of classes.
    :param half: membrane potentials have 16 bits, not 32.
    :param costs: costs of all convolutions of the network, also of those that the program leaves
        out because inference needs no result of them.
    """

    planes: list[Plane]
    operations: list[Operation]
    inputs: tuple[int, int]
    classes: int
    half: bool = False
    costs: list[Cost] = field(default_factory=list)

    @property
    def layers(self) -> list[str]:
        """Names of the neuron layers, in the order of their counters."""
        names = [self.planes[neurons.state].name
                 for operation in self.operations for neurons in operation.neurons]
        return list(dict.fromkeys(names))
