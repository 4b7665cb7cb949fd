# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Check that a program reads and writes within its planes and constants only.

C++ runs a program without checks of its own, and a program may come from a file that anyone made.
What is checked here is all that memory safety depends on: the offsets themselves are computed from
these numbers by :mod:`mfs_seg_core.engine.plan`.
"""

from __future__ import annotations

import numpy as np

from mfs_seg_core.engine.layout import (
    GROUP,
    MAX_ADDS,
    MAX_NEURONS,
    MAX_STORES,
    NORMALS,
    PANEL,
    SOURCES,
)
from mfs_seg_core.engine.plan import KEPT
from mfs_seg_core.engine.program import Neurons, Operation, Plane, Program, padded
from mfs_seg_core.engine.weights import (
    LARGEST,
    MAX_SUM,
    groups_in_16_bits,
    taps_in_16_bits,
)

KINDS = ('current', 'pixels', 'spikes', *KEPT)
# Far beyond useful values; offsets within a row of pixels fit into 32 bits.
MAX_ITEMS, MAX_CHANNELS, MAX_LEVEL, MAX_BORDER, MAX_BYTE = 1024, 16384, 8, 15, 255
# Currents that are added in one pass: the array in native/neurons.inc.
MAX_PASS_ADDS = 2
# Of scales, biases and the pixel table, but for the bias of padding.
MAX_VALUE = 1e9


def check_program(program: Program) -> None:
    """
    Raise an error for a program that could access other memory than its own.

    :param program: the program, its numbers of the declared types.
    :raises ValueError: the first number that is wrong; a clause without a full stop.
    """
    _require(0 < len(program.planes) <= MAX_ITEMS and 0 < len(program.operations) <= MAX_ITEMS,
             'it has no operations, or too many')
    _require(0 < program.inputs[0] <= MAX_CHANNELS and 0 <= program.inputs[1] <= MAX_CHANNELS
             and 0 < program.classes <= 255, 'its inputs or classes are out of range')
    for index, plane in enumerate(program.planes):
        _check_plane(plane, f'plane {index}')
    names = [plane.name for plane in program.planes if plane.kind in KEPT]
    _require(len(set(names)) == len(names), 'two planes of the state have one name')
    checks = _Operations(program)
    for index, operation in enumerate(program.operations):
        checks.check(operation, f'operation {index}', index == len(program.operations) - 1)
    _require(len(program.layers) > 0, 'it has no neurons')
    for cost in program.costs:
        _require(cost.layer in ('', *program.layers) and 0 <= cost.level <= MAX_LEVEL
                 and 0 <= cost.sensor <= 2 and cost.products >= 0, 'a cost is out of range')


def _require(condition: bool, clause: str) -> None:
    if not condition:
        raise ValueError(clause)


def _check_plane(plane: Plane, name: str) -> None:
    alone = len(plane.channels) == 1
    _require(plane.kind in KINDS, f'{name} is of no known kind')
    _require(alone or plane.kind in ('spikes', 'potential'), f'{name} has several currents')
    _require(0 < len(plane.channels) <= MAX_NEURONS
             and all(0 < channels <= MAX_CHANNELS for channels in plane.channels),
             f'the channels of {name} are out of range')
    _require(0 <= plane.level <= MAX_LEVEL, f'the level of {name} is out of range')
    # The border of several currents side by side is not cleared correctly: no network has one.
    _require(plane.border == 0 or 0 < plane.border <= MAX_BORDER and alone and not plane.pairs
             and plane.kind in ('spikes', 'pixels'), f'the border of {name} is out of range')
    _require(not plane.pairs or alone and plane.level == 0
             and plane.kind in ('spikes', 'potential'), f'{name} has no pairs of pixels')
    _require(plane.least == 0 or -LARGEST <= plane.least < 0 and plane.kind == 'spikes',
             f'the smallest spike of {name} is out of range')
    _require((plane.kind in KEPT) == bool(plane.name) and plane.name.isprintable(),
             f'the name of {name} is wrong')


class _Operations:
    """Checks operations in the order of their execution."""

    def __init__(self, program: Program):
        self._program, self._planes = program, program.planes
        # Parts of each plane that are still to be written: places of currents, and for pairs of
        # pixels even and odd rows.
        self._missing = [{(place, part) for place in range(len(plane.channels))
                          for part in ((0, 1) if plane.pairs else (None,))}
                         for plane in program.planes]
        # Largest byte of the spikes of each plane so far.
        self._spikes = [0] * len(program.planes)

    def check(self, operation: Operation, name: str, last: bool) -> None:
        """Check an operation; ``last``: the program ends with it."""
        _require(operation.source in SOURCES, f'{name} is of no known kind')
        _require(0 <= operation.level <= MAX_LEVEL and operation.gate in (0, 1, 2)
                 and operation.part in (None, 0, 1), f'a number of {name} is out of range')
        _require(len(operation.adds) <= MAX_ADDS and len(operation.stores) <= MAX_STORES
                 and len(operation.neurons) <= MAX_NEURONS, f'{name} has too many planes')
        if operation.source in ('pixels', 'tensor'):
            self._check_input(operation, name, name == 'operation 0')
            return
        _require(operation.channels % PANEL == 0 and 0 < operation.channels <= 4 * MAX_CHANNELS,
                 f'the channels of {name} are out of range')
        if operation.source == 'zero':
            self._check_constants(operation, name, None, None)
        elif operation.source == 'stem':
            self._check_stem(operation, name)
        else:
            self._check_conv(operation, name)
        self._check_adds(operation, name)
        for place in operation.stores:
            plane = self._plane(place, name)
            _require(plane.kind in ('current', 'past') and plane.level == operation.level
                     and plane.pixel == operation.channels and operation.part is None,
                     f'{name} is stored in a plane that does not fit')
            self._write(place, 0, None, name)
        for neurons in operation.neurons:
            self._check_neurons(neurons, operation, name)
        # Class scores: the padding never has the highest.
        classes = self._program.classes
        _require(operation.classes == (classes if last else 0), f'{name} has wrong classes')
        _require(not last or operation.source == 'dense' and operation.level == 0
                 and operation.part is None and operation.channels == padded(classes)
                 and not operation.stores
                 and bool((operation.bias[classes:] == np.finfo(np.float32).min).all()),
                 f'{name} makes no class scores')
        usable = operation.bias[:classes] if last else operation.bias
        _require(usable is None or bool((np.abs(usable) <= MAX_VALUE).all()),
                 f'a bias of {name} is too large')

    def _plane(self, index: int, name: str) -> Plane:
        _require(0 <= index < len(self._planes), f'{name} has a plane that does not exist')
        return self._planes[index]

    def _write(self, index: int, place: int, part: int | None, name: str) -> None:
        _require((place, part) in self._missing[index], f'{name} writes a plane again')
        self._missing[index].remove((place, part))

    def _read(self, index: int, name: str) -> Plane:
        """Return a plane that is complete."""
        plane = self._plane(index, name)
        _require(not self._missing[index] or plane.kind in KEPT,
                 f'{name} reads a plane before it is written')
        return plane

    def _check_input(self, operation: Operation, name: str, first: bool) -> None:
        """Check the conversion of an image or of an event tensor to a plane."""
        # The image is read as bytes where the first operation does so, and only there.
        events = operation.gate == 2
        gate = 2 if events else 1 if self._program.inputs[1] else 0
        _require(first != events and operation.gate == gate
                 and (operation.source == 'tensor' or not events)
                 and operation.channels == self._program.inputs[events],
                 f'{name} reads no input of the program')
        _require(operation.level == 0 and operation.part is None and operation.input is None
                 and not operation.adds and not operation.neurons and not operation.classes
                 and len(operation.stores) == 1, f'{name} is more than an input')
        plane = self._plane(operation.stores[0], name)
        _require(plane.kind == 'pixels' and plane.level == 0
                 and plane.pixel == operation.channels, f'the plane of {name} does not fit')
        self._write(operation.stores[0], 0, None, name)
        table = (2, NORMALS) if operation.source == 'pixels' else None
        self._check_constants(operation, name, table, None)
        _require(table is None or bool((np.abs(operation.weights) <= MAX_VALUE).all()
                                       and (operation.weights[1] > 0).all()),
                 f'the pixel table of {name} is out of range')

    def _check_stem(self, operation: Operation, name: str) -> None:
        plane = self._read_input(operation, 'pixels', name)
        _require(operation.kernel == 3 and operation.part is None, f'the kernel of {name} is no 3')
        self._check_constants(operation, name, (3, 3, plane.pixel, operation.channels),
                              operation.channels)
        _require(bool((np.abs(operation.weights) <= MAX_VALUE).all()),
                 f'a weight of {name} is too large')

    def _check_conv(self, operation: Operation, name: str) -> None:
        """Check a convolution of spikes, and that its sums cannot overflow."""
        plane = self._read_input(operation, 'spikes', name)
        kernel, channels, pixel = operation.kernel, operation.channels, plane.pixel
        dense, spike = operation.source == 'dense', self._spikes[operation.input]
        _require(dense or channels == pixel, f'{name} is depthwise with other channels')
        shape = ((channels // PANEL, kernel * kernel * pixel // GROUP, PANEL, GROUP) if dense
                 else (channels, kernel, kernel))
        self._check_constants(operation, name, shape, channels, np.int8)
        most = (groups_in_16_bits(spike) if dense
                else taps_in_16_bits(operation.weights, spike))
        products = kernel * kernel * (pixel if dense else 1)
        _require(spike * LARGEST * products <= MAX_SUM and 1 <= operation.flush <= most
                 and int(operation.weights.min()) >= -LARGEST, f'the sums of {name} can overflow')
        scale = np.abs(operation.scale)
        _require(bool((scale <= MAX_VALUE).all()), f'a scale of {name} is too large')

    def _read_input(self, operation: Operation, kind: str, name: str) -> Plane:
        """Return the plane that a convolution reads; its border has room for the kernel."""
        _require(operation.input is not None, f'{name} has no input')
        plane = self._read(operation.input, name)
        part = operation.part is not None
        _require(plane.kind == kind and operation.stride in (1, 2)
                 and plane.level + operation.stride - 1 == operation.level + part,
                 f'the input of {name} does not fit')
        _require(operation.kernel % 2 == 1 and 0 < operation.kernel <= 2 * plane.border + 1
                 and not (part and (operation.kernel, operation.stride) != (1, 1)),
                 f'the kernel of {name} is out of range')
        return plane

    def _check_constants(self, operation: Operation, name: str, shape: tuple[int, ...] | None,
                         channels: int | None, dtype: type = np.float32) -> None:
        """Check weights, scale and bias: of this shape, and for each channel; None: none."""
        per_channel = None if channels is None else (channels,)
        for what, array, kind, wanted in (
                ('weights', operation.weights, dtype, shape),
                ('scale', operation.scale, np.float32, per_channel if dtype is np.int8 else None),
                ('bias', operation.bias, np.float32, per_channel)):
            fits = array is None if wanted is None else (
                array is not None and array.shape == wanted and array.dtype == kind
                and bool(np.isfinite(array).all()))
            _require(fits, f'{what} of {name} do not fit')

    def _check_adds(self, operation: Operation, name: str) -> None:
        for index, resized in operation.adds:
            plane = self._read(index, name)
            _require(plane.kind in ('current', 'past') and operation.part is None
                     and plane.pixel == operation.channels
                     and (resized or plane.level == operation.level),
                     f'a plane that {name} adds does not fit')
        _require(sum(not resized for _, resized in operation.adds) <= MAX_PASS_ADDS,
                 f'{name} adds too many planes')

    def _check_neurons(self, neurons: Neurons, operation: Operation, name: str) -> None:
        state, spikes = self._plane(neurons.state, name), self._plane(neurons.spikes, name)
        pairs = operation.part is not None
        _require(state.kind == 'potential' and spikes.kind == 'spikes'
                 and state.channels == spikes.channels
                 and state.pairs == spikes.pairs == pairs
                 and state.level == spikes.level == operation.level,
                 f'the planes of the neurons of {name} do not fit')
        _require(0 <= neurons.place < len(spikes.channels)
                 and operation.channels == (1 + pairs) * spikes.width(
                     spikes.channels[neurons.place]), f'the neurons of {name} do not fit')
        largest = neurons.high - spikes.least
        _require(0 < neurons.high and largest <= MAX_BYTE, f'the spikes of {name} are out of range')
        _require(neurons.leaks.shape == (operation.channels,)
                 and neurons.leaks.dtype == np.float32
                 and bool(((neurons.leaks >= 0) & (neurons.leaks <= 1)).all()),
                 f'the leaks of {name} do not fit')
        self._write(neurons.spikes, neurons.place, operation.part, name)
        self._spikes[neurons.spikes] = max(self._spikes[neurons.spikes], largest)
