# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Steps of a network by the native engine: 8-bit weights, integer spikes. Needs no torch."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from mfs_seg_core.engine.energy import energy_mj
from mfs_seg_core.engine.engine import Engine, EngineInput, EngineOutput, EngineState
from mfs_seg_core.engine.program import Program
from mfs_seg_core.engine.resize import resize_image
from mfs_seg_core.events.tensor import EventWindow, event_tensor
from mfs_seg_core.streaming.backend_interface import Backend
from mfs_seg_core.streaming.inputs import Potentials, Prepared, StepRequest, StepResult
from mfs_seg_core.weights.metadata import Metadata


class NativeBackend(Backend[EngineState]):
    """A program in the native engine."""

    name = 'native'
    device = 'cpu'

    def __init__(self, program: Program, metadata: Metadata):
        """
        Create an engine.

        :param program: program of the network.
        :param metadata: metadata of its weights.
        :raises EngineUnavailableError: the engine cannot run here.
        """
        self.program, self.metadata = program, metadata
        self.engine = Engine(program)
        self.description = f'native, {self.engine.kernels}'

    def state(self) -> EngineState:
        """Return the state of a stream at rest."""
        return EngineState()

    def read(self, state: EngineState) -> Potentials | None:
        """Return copies of the potentials of a stream; None at rest."""
        return self.engine.read_state(state)

    def load(self, state: EngineState, potentials: Potentials, size: tuple[int, int]) -> None:
        """Set the state of a stream."""
        self.engine.write_state(state, size, potentials)

    def image(self, frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return the pixels ``[h, w, 3]`` of a frame at the network's size, width and height."""
        self.engine.wake()
        return resize_image(frame, size)

    def tensor(self, events: EventWindow, size: tuple[int, int]) -> np.ndarray:
        """Return the network's input ``[E, h, w]`` for events; ``size`` is width, height."""
        self.engine.wake()
        return event_tensor(events, self.metadata.event_bins, *size)

    def step(self, states: Sequence[EngineState], prepared: Sequence[Prepared],
             sizes: Sequence[tuple[int, int]], request: StepRequest
             ) -> tuple[list[StepResult], float]:
        """Advance streams by one step each."""
        start = time.perf_counter()
        outputs = self.engine.step(
            states, [EngineInput(each.images, each.events, each.elapsed, size)
                     for each, size in zip(prepared, sizes)], request.confidence,
            request.firing_rates or request.energy)
        model_ms = 1e3 * (time.perf_counter() - start)
        return [StepResult(output.mask, output.confidence,
                           output.rates if request.firing_rates else None,
                           self._energy_mj(each, output) if request.energy else None)
                for each, output in zip(prepared, outputs)], model_ms

    def _energy_mj(self, prepared: Prepared, output: EngineOutput) -> float:
        images, events = prepared.images, prepared.events
        given = images if images is not None else events
        size = given.shape[:2] if given.dtype == np.uint8 else given.shape[1:]
        sensors = [x is not None and (x.dtype == np.uint8 or bool(x.any()))
                   for x in (images, events)]
        return energy_mj(self.program, size, output.rates, sensors)
