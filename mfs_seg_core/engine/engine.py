# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run a program on streams: their states, and one step of several of them."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mfs_seg_core.engine import layout
from mfs_seg_core.engine.constants import Constants
from mfs_seg_core.engine.library import default_threads, library
from mfs_seg_core.engine.memory import address, aligned_bytes
from mfs_seg_core.engine.plan import MemoryPlan
from mfs_seg_core.engine.program import Program
from mfs_seg_core.engine.resize import enlarge_masks

_threads = [0]


def set_threads(count: int) -> None:
    """Set the number of threads of the engines of this process."""
    _threads[0] = count


def chosen_threads() -> int:
    """Return the number of threads that was set; 0: none."""
    return _threads[0]


def threads() -> int:
    """Return the number of threads of the engines of this process."""
    return _threads[0] or default_threads()


class EngineState:
    """State of one stream: its potentials, zeros at rest."""

    def __init__(self):
        """Create a stream at rest."""
        self.memory: np.ndarray | None = None
        self.size: tuple[int, int] = (0, 0)
        self.at_rest = True

    def reset(self) -> None:
        """Reset the potentials to rest."""
        # Their memory stays: a step that allocates it takes several times as long.
        self.at_rest = True


@dataclass(frozen=True)
class EngineInput:
    """
    Input of one step of a stream.

    :param image: uint8 ``[H, W, 3]`` for a program with a table of pixels, else float32
        ``[C, H, W]``; None: the camera is absent.
    :param events: float32 ``[E, H, W]``; None: the event camera is absent.
    :param elapsed: time since the last step, in nominal steps.
    :param mask_size: height and width of the mask; None: those of the input.
    """

    image: np.ndarray | None
    events: np.ndarray | None
    elapsed: float = 1.0
    mask_size: tuple[int, int] | None = None


class EngineOutput(NamedTuple):
    """Mask and confidence, uint8 ``[H, W]``, and mean spikes of a neuron; None: not requested."""

    mask: np.ndarray
    confidence: np.ndarray | None
    rates: dict[str, float] | None


class Engine:
    """
    A program with its memory for a step. One thread at a time may use it.

    :ivar nanoseconds: time of each operation of the last step, int64, if set to an array of as many
        elements as the program has operations; None: not measured.
    """

    def __init__(self, program: Program, kernels: str = ''):
        """
        Create an engine.

        :param program: compiled network.
        :param kernels: name of the kernels; empty: the best for this processor.
        :raises EngineUnavailableError: the library, or such kernels, cannot run here.
        """
        self._library = library()
        self.kernels = self._library.choose(kernels)
        self.program = program
        self._constants = Constants(program, self._library.taps(self.kernels))
        self._plans: dict[tuple[int, int, bool], MemoryPlan] = {}
        self._mask_ops: dict[tuple, tuple[layout.Op, np.ndarray]] = {}
        self._arena = aligned_bytes(0)
        self.nanoseconds: np.ndarray | None = None

    def wake(self) -> None:
        """Wake the threads for a step that follows at once."""
        self._library.wake()

    def step(self, states: Sequence[EngineState], inputs: Sequence[EngineInput],
             confidence: bool = False, rates: bool = False) -> list[EngineOutput]:
        """
        Advance streams by one step each.

        :param states: states of the streams, which change.
        :param inputs: their inputs, all of one size.
        :param confidence: return the confidences too.
        :param rates: return the firing rates too.
        :returns: results in the order of the streams.
        :raises ValueError: an input or a state has the wrong shape or dtype; nothing has changed.
        """
        size = self._check(inputs)
        masks = [given.mask_size or size for given in inputs]
        scores = any(mask != size for mask in masks)
        plan = self._plan(*size, scores)
        if any(not state.at_rest and state.size != size for state in states):
            raise ValueError('a state is of another image size: reset it')
        for state in states:
            if state.at_rest and state.size == size:
                state.memory.fill(0)
            elif state.at_rest:
                state.memory, state.size = aligned_bytes(plan.state_bytes), size
            state.at_rest = False
        count = len(inputs)
        if self._arena.size < count * plan.arena_bytes:
            self._arena = aligned_bytes(count * plan.arena_bytes)
        streams = (layout.StreamMemory * count)()
        counters = np.zeros((count, len(self.program.layers)), np.int64) if rates else None
        outputs = [np.empty((1 + confidence, *size), np.uint8) for _ in masks]
        arena = address(self._arena)
        # What the structures point to must live as long as they do.
        kept = [self._decays(given.elapsed) for given in inputs]
        for row, (stream, state, given) in enumerate(zip(streams, states, inputs)):
            spaces = stream.spaces
            spaces[layout.ARENA] = arena + row * plan.arena_bytes
            spaces[layout.STATE] = address(state.memory)
            for place, (space, array) in enumerate(((layout.CAMERA, given.image),
                                                    (layout.EVENTS, given.events))):
                stream.present[place] = array is not None
                if array is not None:
                    kept.append(np.ascontiguousarray(array))
                    spaces[space] = address(kept[-1])
            stream.decays = address(kept[row])
            stream.counters = address(counters[row]) if rates else None
            spaces[layout.MASK] = address(outputs[row][0])
            if confidence:
                spaces[layout.CONFIDENCE] = address(outputs[row][1])
        self._run(plan.ops, streams, plan.tables, confidence and not scores, self.nanoseconds)
        if scores:
            outputs = [self._mask(plan, streams[row], output[0], mask, confidence)
                       for row, (output, mask) in enumerate(zip(outputs, masks))]
        means = counters / plan.neuron_counts() if rates else None
        return [EngineOutput(output[0], output[1] if confidence else None,
                             dict(zip(self.program.layers, means[row].tolist())) if rates else None)
                for row, output in enumerate(outputs)]

    def read_state(self, state: EngineState) -> dict[str, np.ndarray] | None:
        """
        Return copies of the potentials of a stream.

        :param state: its state.
        :returns: float32 ``[1, C, h, w]`` by neuron name; None at rest.
        """
        if state.at_rest:
            return None
        plan = self._plan(*state.size, False)
        channels = plan.state_channels()
        return {name: values[channels[name]][None].astype(np.float32, copy=False)
                for name, values in plan.state_arrays(state.memory).items()}

    def write_state(self, state: EngineState, size: tuple[int, int],
                    potentials: Mapping[str, np.ndarray]) -> None:
        """
        Set the potentials of a stream.

        :param state: its state.
        :param size: height and width of the input.
        :param potentials: float32 ``[1, C, h, w]`` by neuron name.
        :raises ValueError: they are of another network or size; the state has not changed.
        """
        plan = self._plan(*size, False)
        memory = aligned_bytes(plan.state_bytes)
        arrays, channels = plan.state_arrays(memory), plan.state_channels()
        if arrays.keys() != potentials.keys():
            raise ValueError('the state is of another network')
        for name, values in arrays.items():
            wanted = (1, len(channels[name]), *values.shape[1:])
            if potentials[name].shape != wanted:
                raise ValueError(f'neuron {name}: the potential has shape '
                                 f'{list(potentials[name].shape)}, not {list(wanted)}')
            values[channels[name]] = potentials[name][0]
        state.memory, state.size, state.at_rest = memory, size, False

    def memory_bytes(self, height: int, width: int) -> tuple[int, int]:
        """Return the bytes of a stream for this input size: of its state, and during a step."""
        plan = self._plan(height, width, False)
        return plan.state_bytes, plan.arena_bytes

    def _check(self, inputs: Sequence[EngineInput]) -> tuple[int, int]:
        """Return height and width of the inputs."""
        sizes = set()
        first = self.program.operations[0].source
        for given in inputs:
            if given.image is None and given.events is None:
                raise ValueError('a step needs an image, events or both')
            if given.image is None and not self.program.inputs[1]:
                raise ValueError('the network needs images')
            for array, channels, pixels in (
                    (given.image, self.program.inputs[0], first == 'pixels'),
                    (given.events, self.program.inputs[1], False)):
                if array is None:
                    continue
                dtype = np.uint8 if pixels else np.float32
                shape = array.shape[-1:] + array.shape[:-1] if pixels else array.shape
                if array.ndim != 3 or shape[0] != channels or array.dtype != dtype:
                    raise ValueError(f'an input is {array.dtype} {list(array.shape)}, and should '
                                     f'be {np.dtype(dtype)} with {channels} channels')
                sizes.add(shape[1:])
        if len(sizes) != 1:
            raise ValueError(f'inputs of {len(sizes)} sizes in one step')
        return sizes.pop()

    def _plan(self, height: int, width: int, scores: bool) -> MemoryPlan:
        key = height, width, scores
        if key not in self._plans:
            self._plans[key] = MemoryPlan(self.program, self._constants, height, width, scores)
        return self._plans[key]

    def _decays(self, elapsed: float) -> np.ndarray:
        """Return the share of each potential that remains."""
        leaks = self._constants.leaks
        return leaks if elapsed == 1 else leaks ** np.float32(elapsed)

    def _mask(self, plan: MemoryPlan, stream: layout.StreamMemory, classes: np.ndarray,
              size: tuple[int, int], confidence: bool) -> np.ndarray:
        """Return mask and confidence ``[1 or 2, H, W]`` of another size than ``classes``."""
        # Beyond twice the network's size, scores are not interpolated: the cost grows and the mask
        # no longer improves.
        fine = tuple(min(wanted, 2 * given) for wanted, given in zip(size, plan.sizes[0]))
        key = plan.sizes[0], fine
        if key not in self._mask_ops:
            self._mask_ops[key] = plan.scores_op(*fine)
        op, tables = self._mask_ops[key]
        output = np.empty((1 + confidence, *fine), np.uint8)
        stream.spaces[layout.CLASSES] = address(classes)
        stream.spaces[layout.MASK] = address(output[0])
        if confidence:
            stream.spaces[layout.CONFIDENCE] = address(output[1])
        self._run((layout.Op * 1)(op), (layout.StreamMemory * 1)(stream), tables, confidence)
        return output if fine == size else enlarge_masks(output, size)

    def _run(self, ops: ctypes.Array, streams: ctypes.Array, tables: np.ndarray, confidence: bool,
             nanoseconds: np.ndarray | None = None) -> None:
        ops[-1].confidence.space = layout.CONFIDENCE if confidence else layout.NONE
        self._library.run(
            self._library.kernels[self.kernels], ctypes.addressof(ops), len(ops),
            ctypes.addressof(streams), len(streams), address(self._constants.memory),
            address(tables), threads(), None if nanoseconds is None else address(nanoseconds))
