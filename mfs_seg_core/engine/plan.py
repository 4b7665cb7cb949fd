# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A program for one image size: places of all planes in memory, and the structures to run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfs_seg_core.engine import layout
from mfs_seg_core.engine.constants import Constants, repeats
from mfs_seg_core.engine.joining import joined_operations, reads, writes
from mfs_seg_core.engine.memory import Blob, aligned
from mfs_seg_core.engine.program import Neurons, Operation, Plane, Program, padded

# Kinds of planes that are kept between steps.
KEPT = ('potential', 'past')


@dataclass(frozen=True)
class _Place:
    """Memory of a plane."""

    space: int
    offset: int


class MemoryPlan:
    """
    Sizes and offsets of a program for one image size.

    :ivar ops: array of :class:`mfs_seg_core.engine.layout.Op`.
    :ivar tables: memory of the interpolation tables.
    :ivar arena_bytes: memory for currents and spikes that a stream needs during a step.
    :ivar state_bytes: memory of the state of a stream.
    :ivar joined: for each operation, whether it runs together with the one before it.
    """

    def __init__(self, program: Program, constants: Constants, height: int, width: int,
                 scores: bool):
        """
        Plan a program.

        :param program: the program.
        :param constants: its constants.
        :param height: height of the input.
        :param width: width of the input.
        :param scores: keep the class scores, for :meth:`scores_op`, and write the mask.
        """
        self.program, self.constants = program, constants
        planes, operations = list(program.planes), list(program.operations)
        if scores:
            # A copy of the last operation, which stores its current too.
            last = operations[-1]
            planes.append(Plane('current', (program.classes,), last.level))
            operations[-1] = Operation(**{**vars(last),
                                          'stores': [*last.stores, len(planes) - 1]})
        self.planes, self.operations = planes, operations
        self.sizes = [(height, width)]
        for _ in range(max(plane.level for plane in planes)):
            self.sizes.append(tuple(-(-n // 2) for n in self.sizes[-1]))
        self._tables = Blob()
        self._table_places: dict[tuple[int, int], int] = {}
        self.state_bytes = 0
        self._places: dict[int, _Place] = {}
        for index, plane in enumerate(planes):
            if plane.kind in KEPT:
                self._places[index] = _Place(layout.STATE, self.state_bytes)
                self.state_bytes += aligned(self._plane_bytes(plane))
        self.joined = joined_operations(operations, self._rows)
        self.arena_bytes = self._plan_arena()
        counters = {name: index for index, name in enumerate(program.layers)}
        leaks = iter(constants.leak_places)
        self.ops = (layout.Op * len(operations))()
        for index, operation in enumerate(operations):
            self._fill(self.ops[index], index, operation, counters, leaks)
        self.tables = self._tables.memory()

    def size(self, plane: Plane) -> tuple[int, int]:
        """Return height and width of a plane, without its border."""
        height, width = self.sizes[plane.level]
        return height, width + width % 2 if plane.pairs else width

    def view(self, index: int, part: int | None = None, place: int = 0) -> layout.View:
        """
        Return the view of a plane.

        :param index: index of the plane.
        :param part: 0 or 1: pairs of pixels of the even or odd rows.
        :param place: index of the current in it.
        :returns: the view.
        """
        plane, memory = self.planes[index], self._places[index]
        element, pixel = self._dtype(plane).itemsize, plane.pixel
        row = (self.size(plane)[1] + 2 * plane.border) * pixel
        first = plane.border * (row + pixel) + plane.starts[place] + (part or 0) * row
        step = 1 if part is None else 2
        return layout.View(memory.offset + first * element, memory.space, step * row, step * pixel)

    def state_arrays(self, memory: np.ndarray) -> dict[str, np.ndarray]:
        """
        Return the potentials in the memory of a state, by name.

        :param memory: uint8 ``[state_bytes]``.
        :returns: views ``[C, h, w]``; several for one name are side by side, first channels first.
        """
        arrays: dict[str, np.ndarray] = {}
        for index, plane in enumerate(self.planes):
            if plane.kind not in KEPT:
                continue
            height, width = self.size(plane)
            offset = self._places[index].offset
            values = memory[offset:offset + self._plane_bytes(plane)].view(self._dtype(plane))
            values = values.reshape(height, width, plane.pixel)[:, :self.sizes[plane.level][1]]
            arrays[plane.name] = values.transpose(2, 0, 1)
        return arrays

    def state_channels(self) -> dict[str, np.ndarray]:
        """Return the elements of a pixel that are channels and not padding, by name."""
        return {plane.name: np.concatenate([np.arange(start, start + count) for start, count in
                                            zip(plane.starts, plane.channels)])
                for plane in self.planes if plane.kind in KEPT}

    def neuron_counts(self) -> np.ndarray:
        """Return the number of neurons of each layer, in the order of the counters."""
        layers = {plane.name: plane for plane in self.planes if plane.kind in KEPT}
        return np.array([sum(layers[name].channels) * np.prod(self.sizes[layers[name].level])
                         for name in self.program.layers], np.int64)

    def arena_slice(self, index: int) -> slice | None:
        """Return the bytes of the arena that a plane has; None: it lies elsewhere."""
        memory = self._places[index]
        if memory.space != layout.ARENA:
            return None
        return slice(memory.offset, memory.offset + self._plane_bytes(self.planes[index]))

    def scores_op(self, height: int, width: int) -> tuple[layout.Op, np.ndarray]:
        """
        Return the operation that makes a mask of another size from scores and mask of a step.

        :param height: height of the mask.
        :param width: width of the mask.
        :returns: the operation, and its tables.
        """
        plane = self.planes[-1]
        tables, op = Blob(), layout.Op()
        op.source, op.height, op.width = layout.SOURCES.index('zero'), height, width
        op.channels, op.kernel, op.stride, op.repeat = padded(plane.channels[0]), 1, 1, 1
        op.adds, op.classes = 1, self.program.classes
        rows, columns = (tables.add(interpolation(*pair))
                         for pair in zip(self.sizes[plane.level], (height, width)))
        op.add[0] = layout.Add(self.view(len(self.planes) - 1), rows, columns)
        if width >= self.sizes[plane.level][1]:
            op.input = layout.View(0, layout.CLASSES, self.sizes[plane.level][1], 1)
        _write_mask(op)
        return op, tables.memory()

    def _plane_bytes(self, plane: Plane) -> int:
        height, width = self.size(plane)
        return ((height + 2 * plane.border) * (width + 2 * plane.border) * plane.pixel
                * self._dtype(plane).itemsize)

    def _dtype(self, plane: Plane) -> np.dtype:
        if plane.kind == 'spikes':
            return np.dtype(np.uint8)
        half = plane.kind == 'potential' and self.program.half
        return np.dtype(np.float16 if half else np.float32)

    def _plan_arena(self) -> int:
        """Place planes, those that exist at the same time apart; return the size."""
        lives: dict[int, tuple[int, int]] = {}
        # Joined operations run at the same time.
        time = 0
        for operation, joined in zip(self.operations, self.joined):
            time += not joined
            for index in {*reads(operation), *writes(operation)}:
                if self.planes[index].kind not in KEPT:
                    lives[index] = lives.get(index, (time,))[0], time
        if self.planes[-1].kind == 'current':
            # Class scores outlive the step.
            lives[len(self.planes) - 1] = lives[len(self.planes) - 1][0], time + 1
        placed: list[tuple[int, int, int, int]] = []
        sizes = {index: aligned(self._plane_bytes(self.planes[index])) for index in lives}
        for index in sorted(lives, key=lambda i: (-sizes[i], i)):
            first, last = lives[index]
            offset, size = 0, sizes[index]
            for start, end, born, dies in sorted(placed):
                if born <= last and first <= dies and offset < end and start < offset + size:
                    offset = end
            placed.append((offset, offset + size, first, last))
            self._places[index] = _Place(layout.ARENA, offset)
        return max((end for _, end, _, _ in placed), default=0)

    def _fill(self, op: layout.Op, index: int, operation: Operation, counters: dict[str, int],
              leaks) -> None:
        height, width = self.sizes[operation.level]
        op.source = layout.SOURCES.index(operation.source)
        op.height, op.width = self._rows(operation), width
        if operation.part is not None:
            op.width = -(-width // 2)
        op.joined = self.joined[index]
        op.channels = operation.channels
        op.kernel, op.stride = operation.kernel, operation.stride
        op.gate, op.flush, op.repeat = operation.gate, operation.flush, repeats(operation)
        op.weights, op.scale, op.bias = (places[index] for places in (
            self.constants.weights, self.constants.scales, self.constants.biases))
        if operation.source in ('pixels', 'tensor'):
            self._fill_input(op, operation)
        elif operation.input is not None:
            op.input = self.view(operation.input)
            op.inputs = self.planes[operation.input].pixel
        op.adds, op.stores = len(operation.adds), len(operation.stores)
        for place, (plane, resized) in enumerate(operation.adds):
            tables = -1, -1
            if resized:
                sizes = self.sizes[self.planes[plane].level], (height, width)
                tables = tuple(self._table(*pair) for pair in zip(*sizes))
            op.add[place] = layout.Add(self.view(plane), *tables)
        for place, plane in enumerate(operation.stores):
            op.store[place] = self.view(plane)
            op.store_border = self.planes[plane].border
        op.neurons = len(operation.neurons)
        for place, neurons in enumerate(operation.neurons):
            op.neuron[place] = self._neurons(neurons, operation, counters, next(leaks))
        op.classes = operation.classes
        if operation.classes:
            _write_mask(op)

    def _rows(self, operation: Operation) -> int:
        height, part = self.sizes[operation.level][0], operation.part
        return height if part is None else (height - part + 1) // 2

    def _fill_input(self, op: layout.Op, operation: Operation) -> None:
        width, channels = op.width, operation.channels
        op.inputs = channels
        pixels = operation.source == 'pixels'
        op.input = layout.View(0, layout.EVENTS if operation.gate == 2 else layout.CAMERA,
                               width * channels if pixels else width, channels if pixels else 1)

    def _neurons(self, neurons: Neurons, operation: Operation, counters: dict[str, int],
                 leak: int) -> layout.NeuronsOp:
        state, spikes = self.planes[neurons.state], self.planes[neurons.spikes]
        width = self.sizes[operation.level][1]
        of_pixel = operation.channels // (1 if operation.part is None else 2)
        return layout.NeuronsOp(
            state=self.view(neurons.state, operation.part, neurons.place),
            spikes=self.view(neurons.spikes, operation.part, neurons.place), leak=leak,
            high=neurons.high, low=spikes.least, hard=neurons.hard, counter=counters[state.name],
            count=width * of_pixel, border=spikes.border, half=self.program.half)

    def _table(self, given: int, wanted: int) -> int:
        if (given, wanted) not in self._table_places:
            self._table_places[given, wanted] = self._tables.add(interpolation(given, wanted))
        return self._table_places[given, wanted]


def _write_mask(op: layout.Op) -> None:
    """Let an operation write mask and confidence, whose memory is the caller's."""
    op.mask = layout.View(0, layout.MASK, op.width, 1)
    op.confidence = layout.View(0, layout.CONFIDENCE, op.width, 1)


def interpolation(given: int, wanted: int) -> np.ndarray:
    """
    Return the neighbours of each output element, as torch's bilinear interpolation has them.

    :param given: elements of the input.
    :param wanted: elements of the output.
    :returns: structured array of :class:`mfs_seg_core.engine.layout.Interpolation`.
    """
    scale = np.float32(given) / np.float32(wanted)
    source = scale * (np.arange(wanted, dtype=np.float32) + np.float32(0.5)) - np.float32(0.5)
    source = np.maximum(source, 0)
    low = np.minimum(source.astype(np.int32), given - 1)
    table = np.zeros(wanted, np.dtype(layout.Interpolation))
    table['low'], table['high'] = low, np.minimum(low + 1, given - 1)
    table['share'] = source - low
    return table
