# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Compile a network to a program.

The operations follow the network's own forward pass. Each makes a current; neurons that take it
are steps of the same operation, so their potentials are read and written once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mfs_seg_core.engine.layout import MAX_ADDS, MAX_NEURONS, MAX_STORES, NORMALS, PANEL
from mfs_seg_core.engine.program import Neurons, Operation, Plane, Program, padded
from mfs_seg_core.engine.weights import (
    groups_in_16_bits,
    pack_dense,
    place,
    quantise,
    taps_in_16_bits,
)
from mfs_seg_core.model.baseline_blocks import MSRes, NoShortcut
from mfs_seg_core.model.blocks import EFSRes, Head, Recall, SpikingConv, Stem, Up
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.model.neuron import LEAST_LEAK
from mfs_seg_core.model.state import Neuron

CAMERA, EVENTS = 1, 2
# Two products must fit into 16 bits, also those of signed spikes: see native/kernels.inc.
MAX_LEVELS = 32
MAX_SUM = 2 ** 31 - 1


class UnsupportedNetworkError(ValueError):
    """The engine has no operations for a network; the message names the part."""


@dataclass
class Current:
    """A current while the program is built: an operation and its channels."""

    operation: Operation
    channels: int
    plane: int | None = None


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
        return _Compiler(network, table).compile(half)


def _pixel_table(mean: tuple[float, ...], std: tuple[float, ...]) -> np.ndarray:
    """Return mean and standard deviation of pixels 0..255, float32 ``[2, NORMALS]``."""
    return np.stack([np.resize(np.float32(x) * np.float32(255), NORMALS) for x in (mean, std)])


class _Compiler:
    """The program so far."""

    def __init__(self, network: MFSSeg, table: np.ndarray | None):
        self.network, self.config, self.table = network, network.config, table
        self.planes: list[Plane] = []
        self.operations: list[Operation] = []

    def compile(self, half: bool) -> Program:
        encoded = self._encode()
        self._decode(encoded)
        return Program(self.planes, self.operations, (self.config.inputs, self.config.events),
                       self.config.classes, half)

    # The network, in the order of its forward pass.

    def _encode(self) -> list[list[Current]]:
        """Return the currents at each scale, whose sum is that of the encoder."""
        network, config = self.network, self.config
        base = config.stem_stride - 1
        gate = CAMERA if config.events else 0
        x = self._stem(network.stem, 'pixels' if self.table is not None else 'tensor', gate)
        from_events = None
        if config.events:
            from_events = self._stem(network.events.stem, 'tensor', EVENTS)
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
                    past = self._past(block.name, config.widths[scale], level)
                    x = self._branch(block, [x, past], level, [x])
            for block in blocks:
                x = self._block(block, x, base + scale)
            encoded.append([x] if scale > 0 or from_events is None else [x, from_events])
        return encoded

    def _decode(self, encoded: list[list[Current]]) -> None:
        network, config = self.network, self.config
        base = config.stem_stride - 1
        decoded = []
        for scale in (2, 1, 0):
            level = base + scale
            if scale == 2:
                x, = encoded[2]
            else:
                coarse = self._up(network.up[scale], x, level + 1)
                x = self._sum(level, coarse.channels, encoded[scale], coarse)
            for block in network.decoder[scale]:
                x = self._block(block, x, level)
            if config.recall and scale > 0:
                name = network.recall[scale - 1].name
                self._store(x, next(i for i, plane in enumerate(self.planes)
                                    if plane.name == name))
            decoded.append(x)
        if config.stem_stride == 1:
            for head, x in zip(network.heads[:2], decoded):
                self._fire(head.lif, [x], 0)
            self._classify(self._head(network.heads[2], decoded[2], 0))
            return
        # The neurons of the coarse head have a state; its scores are for training alone.
        self._fire(network.heads[0].lif, [decoded[1]], 0)
        spikes = self._detail(network.detail, decoded[2], network.heads[2].lif)
        half = self._head(network.heads[1], decoded[2], 1)
        scores = self._conv(network.heads[2].conv, spikes, 0)
        scores.operation.adds.append((self._plane_of(half), True))
        self._classify(scores)

    def _classify(self, scores: Current) -> None:
        scores.operation.classes = self.config.classes
        # No padding has the highest score.
        scores.operation.bias[self.config.classes:] = np.finfo(np.float32).min

    # Parts of the network.

    def _stem(self, stem: Stem, source: str, gate: int) -> Current:
        conv = _folded(stem)
        outputs, inputs, kernel, _ = conv.weight.shape
        if kernel != 3:
            raise UnsupportedNetworkError(f'its stem has a kernel of {kernel}')
        pixels = self._plane(Plane('pixels', (inputs,), 0, border=1))
        self.operations.append(Operation(
            source, 0, inputs, gate=gate, stores=[pixels],
            weights=self.table if source == 'pixels' else None))
        width = _panels(outputs)
        weight = np.zeros((3, 3, inputs, width), np.float32)
        weight[..., :outputs] = _array(conv.weight).transpose(2, 3, 1, 0)
        stride = conv.stride[0]
        return self._add(Operation(
            'stem', stride - 1, padded(outputs), input=pixels, kernel=3, stride=stride, gate=gate,
            weights=weight, bias=_widen(_bias(conv), width)), outputs)

    def _spiking_conv(self, layer: SpikingConv, currents: list[Current], level: int, gate: int = 0,
                      adds: tuple[Current, ...] = ()) -> Current:
        spikes = self._fire(layer.lif, currents, layer.conv.kernel_size[0] // 2)
        return self._conv(_folded(layer), spikes, level, gate, adds)

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

    def _past(self, name: str, channels: int, level: int) -> Current:
        state = self._plane(Plane('past', (channels,), level, name=name))
        return self._add(Operation('zero', level, padded(channels), adds=[(state, False)]),
                         channels)

    def _up(self, up: Up, x: Current, level: int) -> Current:
        if isinstance(up.conv, nn.ConvTranspose2d):
            raise UnsupportedNetworkError('its decoder has transposed convolutions')
        return self._conv(_folded(up), self._fire(up.lif, [x], 0), level)

    def _sum(self, level: int, channels: int, currents: list[Current], coarse: Current) -> Current:
        adds = [(self._plane_of(coarse), True), *((self._plane_of(x), False) for x in currents)]
        return self._add(Operation('zero', level, padded(channels), adds=adds), channels)

    def _head(self, head: Head, x: Current, level: int) -> Current:
        spikes = self._fire(head.lif, [x], head.conv.kernel_size[0] // 2)
        return self._conv(head.conv, spikes, level)

    def _detail(self, up: Up, x: Current, neuron: Neuron) -> int:
        """
        Add the transposed convolution to full resolution, and the neurons after it.

        Of 2x2 outputs, those of a row lie side by side: each row is a 1x1 convolution to pairs of
        pixels.

        :param up: the layer.
        :param x: current at half resolution.
        :param neuron: neurons that take its output.
        :returns: plane of their spikes.
        """
        if up.conv.kernel_size != (2, 2):
            raise UnsupportedNetworkError('its last layer is not a transposed convolution of 2x2')
        spikes = self._fire(up.lif, [x], 0)
        conv = _folded(up)
        weight, bias = _array(conv.weight), _bias(conv)
        channels = weight.shape[1]
        width = padded(channels, PANEL // 2)
        state, fired = (self._plane(Plane(kind, (channels,), 0, pairs=True, name=name))
                        for kind, name in (('potential', neuron.name), ('spikes', '')))
        for part in (0, 1):
            of_row = np.zeros((2 * width, weight.shape[0], 1, 1), np.float32)
            of_row[:channels, :, 0, 0] = weight[:, :, part, 0].T
            of_row[width:width + channels, :, 0, 0] = weight[:, :, part, 1].T
            operation = self._dense(of_row, np.tile(_widen(bias, width), 2), spikes, 0)
            operation.part = part
            leaks = np.tile(_leaks(neuron, (channels,), pairs=True), 2)
            self._attach(operation, self._neurons(neuron, state, fired, 0, leaks))
            self.operations.append(operation)
        return fired

    # Operations and planes.

    def _plane(self, plane: Plane) -> int:
        self.planes.append(plane)
        return len(self.planes) - 1

    def _add(self, operation: Operation, channels: int) -> Current:
        if len(operation.adds) > MAX_ADDS:
            raise UnsupportedNetworkError('too many currents are added at one place')
        self.operations.append(operation)
        return Current(operation, channels)

    def _plane_of(self, x: Current) -> int:
        """Return the plane of a current, which its operation then writes."""
        if x.plane is None:
            x.plane = self._plane(Plane('current', (x.channels,), x.operation.level))
            self._store(x, x.plane)
        return x.plane

    def _store(self, x: Current, plane: int) -> None:
        x.operation.stores.append(plane)
        if len(x.operation.stores) > MAX_STORES:
            raise UnsupportedNetworkError('a current is stored at too many places')

    def _fire(self, neuron: Neuron, currents: list[Current], border: int) -> int:
        """Let neurons take currents side by side; return the plane of their spikes."""
        channels = tuple(x.channels for x in currents)
        level = currents[0].operation.level
        state = self._plane(Plane('potential', channels, level, name=neuron.name))
        spikes = self._plane(Plane('spikes', channels, level, border))
        leaks = _leaks(neuron, channels)
        start = 0
        for index, x in enumerate(currents):
            width = padded(x.channels)
            self._attach(x.operation, self._neurons(neuron, state, spikes, index,
                                                    leaks[start:start + width]))
            start += width
        return spikes

    def _neurons(self, neuron: Neuron, state: int, spikes: int, index: int, leaks: np.ndarray
                 ) -> Neurons:
        return Neurons(state, spikes, index, leaks, 0, neuron.levels, hard=neuron.levels == 1)

    def _attach(self, operation: Operation, neurons: Neurons) -> None:
        operation.neurons.append(neurons)
        if len(operation.neurons) > MAX_NEURONS:
            raise UnsupportedNetworkError('too many layers take one current')

    def _conv(self, conv: nn.Conv2d, spikes: int, level: int, gate: int = 0,
              adds: tuple[Current, ...] = ()) -> Current:
        weight, bias = _array(conv.weight), _bias(conv)
        outputs = len(weight)
        if conv.groups == 1:
            operation = self._dense(weight, bias, spikes, level)
        elif conv.groups == outputs == conv.in_channels:
            operation = self._depthwise(weight, bias, spikes, level)
        else:
            raise UnsupportedNetworkError('it has a grouped convolution')
        operation.kernel, operation.stride = conv.kernel_size[0], conv.stride[0]
        operation.gate = gate
        operation.adds = [(self._plane_of(x), False) for x in adds]
        return self._add(operation, outputs)

    def _dense(self, weight: np.ndarray, bias: np.ndarray, spikes: int, level: int) -> Operation:
        plane = self.planes[spikes]
        integers, scale = quantise(weight)
        if self._largest_spike() * 127 * weight[0].size > MAX_SUM:
            raise UnsupportedNetworkError('a sum of products does not fit into 32 bits')
        integers = place(integers, 1, plane.starts, plane.channels, plane.pixel)
        width = _panels(len(weight))
        return Operation('dense', level, padded(len(weight)), input=spikes,
                         flush=groups_in_16_bits(self._largest_spike()),
                         weights=pack_dense(integers), scale=_widen(scale, width),
                         bias=_widen(bias, width))

    def _depthwise(self, weight: np.ndarray, bias: np.ndarray, spikes: int, level: int
                   ) -> Operation:
        plane = self.planes[spikes]
        integers, scale = quantise(weight)
        flush = taps_in_16_bits(self._largest_spike())
        integers = place(integers, 0, plane.starts, plane.channels, plane.pixel)
        width = _panels(plane.pixel)
        return Operation('depthwise', level, plane.pixel, input=spikes, flush=flush,
                         weights=integers[:, 0], scale=_widen(scale, width),
                         bias=_widen(bias, width))

    def _largest_spike(self) -> int:
        return self.config.levels


def _folded(layer: nn.Module) -> nn.Conv2d | nn.ConvTranspose2d:
    """Return a layer's convolution, with its norm folded in."""
    if not isinstance(layer.norm, nn.BatchNorm2d):
        return layer.conv
    transposed = isinstance(layer.conv, nn.ConvTranspose2d)
    return fuse_conv_bn_eval(layer.conv, layer.norm, transposed)


def _panels(channels: int) -> int:
    return -(-channels // PANEL) * PANEL


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()


def _bias(conv: nn.Conv2d | nn.ConvTranspose2d) -> np.ndarray:
    return np.zeros(conv.out_channels, np.float32) if conv.bias is None else _array(conv.bias)


def _widen(values: np.ndarray, width: int) -> np.ndarray:
    return np.pad(values.astype(np.float32), (0, width - len(values)))


def _leaks(neuron: Neuron, channels: tuple[int, ...], pairs: bool = False) -> np.ndarray:
    """Return the leak of each padded channel; that of padding is 0."""
    leak = neuron.leak
    values = (_array(leak.clamp(LEAST_LEAK, 1)).reshape(-1) if isinstance(leak, Tensor)
              else np.full(sum(channels), leak, np.float32))
    plane = Plane('potential', channels, 0, pairs=pairs)
    return place(values, 0, plane.starts, plane.channels, plane.pixel)
