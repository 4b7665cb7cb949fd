# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Build the operations and planes of a program.

Each operation makes a current; neurons that take it are steps of the same operation, so their
potentials are read and written once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from mfs_seg_core.engine.layout import MAX_ADDS, MAX_NEURONS, MAX_STORES, PANEL
from mfs_seg_core.engine.program import (
    Cost,
    Neurons,
    Operation,
    Plane,
    UnsupportedNetworkError,
    padded,
)
from mfs_seg_core.engine.weights import (
    LARGEST,
    MAX_SUM,
    groups_in_16_bits,
    pack_dense,
    place,
    quantise,
    taps_in_16_bits,
)
from mfs_seg_core.model.neuron import LEAST_LEAK
from mfs_seg_core.model.state import Neuron


@dataclass
class Current:
    """A current while the program is built: an operation and its channels."""

    operation: Operation
    channels: int
    plane: int | None = None


class Builder:
    """
    Operations and planes so far.

    :ivar planes: planes, which operations name by index.
    :ivar operations: operations, in the order of execution.
    :ivar costs: costs of the convolutions.
    """

    def __init__(self, levels: int):
        """
        Create a program without operations.

        :param levels: largest spike.
        """
        self.planes: list[Plane] = []
        self.operations: list[Operation] = []
        self.costs: list[Cost] = []
        self._levels = levels

    def plane(self, plane: Plane) -> int:
        """Add a plane; return its index."""
        self.planes.append(plane)
        return len(self.planes) - 1

    def store(self, x: Current, plane: int) -> None:
        """Write a current to a plane too."""
        x.operation.stores.append(plane)
        if len(x.operation.stores) > MAX_STORES:
            raise UnsupportedNetworkError('a current is stored at too many places')

    def plane_of(self, x: Current) -> int:
        """Return the plane of a current, which its operation then writes."""
        if x.plane is None:
            x.plane = self.plane(Plane('current', (x.channels,), x.operation.level))
            self.store(x, x.plane)
        return x.plane

    def stem(self, conv: nn.Conv2d, gate: int, table: np.ndarray | None) -> Current:
        """
        Add a convolution of an input of the network.

        :param conv: the convolution, 3x3.
        :param gate: sensor of the input.
        :param table: mean and standard deviation of uint8 pixels; None: the input is float32.
        :returns: its current.
        """
        outputs, inputs, kernel, _ = conv.weight.shape
        if kernel != 3:
            raise UnsupportedNetworkError(f'its stem has a kernel of {kernel}')
        pixels = self.plane(Plane('pixels', (inputs,), 0, border=1))
        self.operations.append(Operation('tensor' if table is None else 'pixels', 0, inputs,
                                         gate=gate, stores=[pixels], weights=table))
        width = padded(outputs)
        weight = np.zeros((3, 3, inputs, width), np.float32)
        weight[..., :outputs] = _array(conv.weight).transpose(2, 3, 1, 0)
        stride = conv.stride[0]
        self.costs.append(Cost('', conv.weight.numel(), stride - 1, max(gate, 1)))
        return self._add(Operation(
            'stem', stride - 1, padded(outputs), input=pixels, kernel=3, stride=stride, gate=gate,
            weights=weight, bias=_widen(_bias(conv), width)), outputs)

    def sum(self, level: int, channels: int, adds: list[tuple[int, bool]]) -> Current:
        """
        Add a sum of planes.

        :param level: size of the sum.
        :param channels: its channels.
        :param adds: the planes, and whether they are interpolated.
        :returns: its current.
        """
        return self._add(Operation('zero', level, padded(channels), adds=adds), channels)

    def fire(self, neuron: Neuron, currents: list[Current], border: int) -> int:
        """Let neurons take currents side by side; return the plane of their spikes."""
        channels = tuple(x.channels for x in currents)
        level = currents[0].operation.level
        state = self.plane(Plane('potential', channels, level, name=neuron.name))
        spikes = self.plane(Plane('spikes', channels, level, border, least=neuron.least))
        leaks = _leaks(neuron, channels)
        start = 0
        for index, x in enumerate(currents):
            width = padded(x.channels)
            self._attach(x.operation, neuron, state, spikes, index, leaks[start:start + width])
            start += width
        return spikes

    def conv(self, conv: nn.Conv2d, spikes: int, level: int, gate: int = 0,
             adds: tuple[Current, ...] = ()) -> Current:
        """
        Add a convolution of spikes.

        :param conv: the convolution.
        :param spikes: plane of the spikes.
        :param level: size of its output.
        :param gate: sensor without which there is no current; 0: none.
        :param adds: currents of the same size that are added.
        :returns: its current.
        """
        weight, bias = _array(conv.weight), _bias(conv)
        outputs = len(weight)
        self.count(conv, spikes, level)
        if conv.groups == 1:
            operation = self._dense(weight, bias, spikes, level)
        elif conv.groups == outputs == conv.in_channels:
            operation = self._depthwise(weight, bias, spikes, level)
        else:
            raise UnsupportedNetworkError('it has a grouped convolution')
        operation.kernel, operation.stride = conv.kernel_size[0], conv.stride[0]
        operation.gate = gate
        operation.adds = [(self.plane_of(x), False) for x in adds]
        return self._add(operation, outputs)

    def count(self, conv: nn.Conv2d | nn.ConvTranspose2d, spikes: int, level: int) -> None:
        """
        Record the cost of a convolution, which :meth:`conv` and :meth:`double` do themselves.

        :param conv: the convolution.
        :param spikes: plane of the spikes that it takes.
        :param level: size whose pixels it multiplies all of its weights for.
        """
        layer = next(self.planes[neurons.state].name for operation in self.operations
                     for neurons in operation.neurons if neurons.spikes == spikes)
        self.costs.append(Cost(layer, conv.weight.numel(), level))

    def double(self, conv: nn.ConvTranspose2d, spikes: int, neuron: Neuron) -> int:
        """
        Add a transposed convolution to full resolution, and the neurons that take its output.

        Of 2x2 outputs, those of a row lie side by side: each row is a 1x1 convolution to pairs of
        pixels.

        :param conv: the convolution, 2x2.
        :param spikes: plane of spikes at half resolution.
        :param neuron: the neurons.
        :returns: plane of their spikes.
        """
        if conv.kernel_size != (2, 2):
            raise UnsupportedNetworkError('its last layer is not a transposed convolution of 2x2')
        weight, bias = _array(conv.weight), _bias(conv)
        channels = weight.shape[1]
        # Each pixel of its input is multiplied by all of the kernel.
        self.count(conv, spikes, self.planes[spikes].level)
        width = padded(channels, PANEL // 2)
        state, fired = (self.plane(Plane(kind, (channels,), 0, pairs=True, name=name, least=least))
                        for kind, name, least in (('potential', neuron.name, 0),
                                                  ('spikes', '', neuron.least)))
        leaks = np.tile(_leaks(neuron, (channels,), pairs=True), 2)
        for part in (0, 1):
            of_row = np.zeros((2 * width, weight.shape[0], 1, 1), np.float32)
            of_row[:channels, :, 0, 0] = weight[:, :, part, 0].T
            of_row[width:width + channels, :, 0, 0] = weight[:, :, part, 1].T
            operation = self._dense(of_row, np.tile(_widen(bias, width), 2), spikes, 0)
            operation.part = part
            self._attach(operation, neuron, state, fired, 0, leaks)
            self.operations.append(operation)
        return fired

    def _add(self, operation: Operation, channels: int) -> Current:
        if len(operation.adds) > MAX_ADDS:
            raise UnsupportedNetworkError('too many currents are added at one place')
        self.operations.append(operation)
        return Current(operation, channels)

    def _attach(self, operation: Operation, neuron: Neuron, state: int, spikes: int, index: int,
                leaks: np.ndarray) -> None:
        operation.neurons.append(
            Neurons(state, spikes, index, leaks, neuron.levels, hard=neuron.levels == 1))
        if len(operation.neurons) > MAX_NEURONS:
            raise UnsupportedNetworkError('too many layers take one current')

    def _dense(self, weight: np.ndarray, bias: np.ndarray, spikes: int, level: int) -> Operation:
        plane = self.planes[spikes]
        integers, scale = quantise(weight)
        largest = self._levels - plane.least
        if largest * LARGEST * weight[0].size > MAX_SUM:
            raise UnsupportedNetworkError('a sum of products does not fit into 32 bits')
        bias = _corrected(bias, integers, scale, plane.least)
        integers = place(integers, 1, plane.starts, plane.channels, plane.pixel)
        width = padded(len(weight))
        return Operation('dense', level, padded(len(weight)), input=spikes,
                         flush=groups_in_16_bits(largest), weights=pack_dense(integers),
                         scale=_widen(scale, width), bias=_widen(bias, width))

    def _depthwise(self, weight: np.ndarray, bias: np.ndarray, spikes: int, level: int
                   ) -> Operation:
        plane = self.planes[spikes]
        integers, scale = quantise(weight)
        bias = _corrected(bias, integers, scale, plane.least)
        integers = place(integers, 0, plane.starts, plane.channels, plane.pixel)
        width = padded(plane.pixel)
        integers = integers[:, 0]
        return Operation('depthwise', level, plane.pixel, input=spikes, weights=integers,
                         flush=taps_in_16_bits(integers, self._levels - plane.least),
                         scale=_widen(scale, width), bias=_widen(bias, width))


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()


def _bias(conv: nn.Conv2d | nn.ConvTranspose2d) -> np.ndarray:
    return np.zeros(conv.out_channels, np.float32) if conv.bias is None else _array(conv.bias)


def _corrected(bias: np.ndarray, integers: np.ndarray, scale: np.ndarray, least: int
               ) -> np.ndarray:
    """
    Return the bias for sums over bytes s - L instead of spikes s of L..D, L = ``least``.

    The sum of w * s is that of w * (s - L), plus L times that of w. This holds at the edges too,
    as borders are filled with the byte of no spike, -L.
    """
    sums = integers.reshape(len(integers), -1).sum(1, dtype=np.int64)
    return (bias + least * sums * scale.astype(np.float64)).astype(np.float32)


def _widen(values: np.ndarray, width: int) -> np.ndarray:
    return np.pad(values.astype(np.float32), (0, width - len(values)))


def _leaks(neuron: Neuron, channels: tuple[int, ...], pairs: bool = False) -> np.ndarray:
    """Return the leak of each padded channel; that of padding is 0."""
    leak = neuron.leak
    values = (_array(leak.clamp(LEAST_LEAK, 1)).reshape(-1) if isinstance(leak, Tensor)
              else np.full(sum(channels), leak, np.float32))
    plane = Plane('potential', channels, 0, pairs=pairs)
    return place(values, 0, plane.starts, plane.channels, plane.pixel)
