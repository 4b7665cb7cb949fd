# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Steps of streams by PyTorch, ONNX Runtime, OpenVINO and the native engine, to compare them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from mfs_seg_core.engine.engine import Engine, EngineInput, EngineState
from mfs_seg_core.engine.program import Program
from mfs_seg_core.export.step import (
    ELAPSED,
    EVENTS,
    IMAGE,
    MASK,
    NEXT,
    PRESENT,
    StepNetwork,
)
from mfs_seg_core.streaming.inputs import Potentials
from mfs_seg_core.util.openvino_runtime import openvino_core

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from openvino import CompiledModel, InferRequest

# Numpy arrays by the names of an exported model.
Arrays = dict[str, np.ndarray]


class StepRunner(Protocol):
    """
    Streams that advance together.

    :ivar state: potentials ``[B, C, h, w]`` by name; may be set.
    """

    state: Potentials

    def step(self, inputs: Arrays) -> Arrays:
        """Advance all streams by one step; return the outputs of the model but the state."""


# Starts streams with a state.
Start = Callable[[Potentials], StepRunner]


class StatelessRunner:
    """Streams in a runtime to which the caller passes the state."""

    def __init__(self, state: Potentials):
        """Start streams with a state."""
        self.state = state

    def step(self, inputs: Arrays) -> Arrays:
        """Advance all streams by one step; return the outputs of the model but the state."""
        outputs = self.run({**inputs, **self.state})
        self.state = {name: outputs.pop(NEXT + name) for name in self.state}
        return outputs

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for inputs and state."""
        raise NotImplementedError


class TorchRunner(StatelessRunner):
    """Streams in PyTorch."""

    def __init__(self, network: StepNetwork, state: Potentials):
        """Start streams with a state."""
        super().__init__(state)
        self._network = network

    @torch.no_grad()
    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for inputs and state."""
        tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
        state = {name: tensors.pop(name) for name in self.state}
        return {name: x.numpy() for name, x in self._network(tensors, state).items()}


def onnx_session(path: Path) -> InferenceSession:
    """Load a model into ONNX Runtime, on the CPU."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])


class OnnxRunner(StatelessRunner):
    """Streams in ONNX Runtime, on the CPU."""

    def __init__(self, session: InferenceSession, state: Potentials):
        """Start streams with a state in a session, which they share."""
        super().__init__(state)
        self._session = session
        self._outputs = [output.name for output in session.get_outputs()]

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for inputs and state."""
        return dict(zip(self._outputs, self._session.run(None, inputs)))


def openvino_compiled(path: Path) -> CompiledModel:
    """Load a model into OpenVINO, on the CPU in float32."""
    # A processor with bfloat16 would compute in it: far from the numbers of training.
    return openvino_core().compile_model(path, 'CPU', {
        'INFERENCE_PRECISION_HINT': 'f32',
        'INFERENCE_NUM_THREADS': torch.get_num_threads()})


def _outputs(request: InferRequest, inputs: Arrays) -> Arrays:
    """Run a request; return its outputs, which are copies, by name."""
    return {output.any_name: array
            for output, array in request.infer(inputs, share_inputs=True).items()}


class OpenVinoRunner(StatelessRunner):
    """Streams in OpenVINO."""

    def __init__(self, compiled: CompiledModel, state: Potentials):
        """Start streams with a state in a model, which they share."""
        super().__init__(state)
        self._request = compiled.create_infer_request()

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for inputs and state."""
        return _outputs(self._request, inputs)


class StatefulRunner:
    """Streams in OpenVINO, whose model keeps the state."""

    def __init__(self, compiled: CompiledModel, state: Potentials):
        """Start streams with a state in a model, which they share."""
        self._request = compiled.create_infer_request()
        self.state = state

    @property
    def state(self) -> Potentials:
        """Potentials ``[B, C, h, w]`` by name."""
        return {each.name: each.state.data.copy() for each in self._request.query_state()}

    @state.setter
    def state(self, state: Potentials) -> None:
        """Set the potentials."""
        import openvino
        for each in self._request.query_state():
            each.state = openvino.Tensor(state[each.name])

    def step(self, inputs: Arrays) -> Arrays:
        """Advance all streams by one step; return the outputs of the model."""
        return _outputs(self._request, inputs)


class NativeRunner:
    """A stream in the native engine, which returns a mask alone."""

    def __init__(self, program: Program, nominal_step: float):
        """
        Start a stream at rest.

        :param program: program of the network.
        :param nominal_step: nominal time step of its leaks, in seconds.
        :raises EngineUnavailableError: the engine cannot run here.
        """
        self._engine, self._state = Engine(program), EngineState()
        self._nominal_step = nominal_step

    def step(self, inputs: Arrays) -> Arrays:
        """Advance the stream by one step; return its mask."""
        present = inputs.get(PRESENT, np.ones((1, 2)))[0]
        arrays = [inputs[name][0] if name in inputs and there else None
                  for name, there in zip((IMAGE, EVENTS), present)]
        if IMAGE not in inputs:
            # A network for events only takes them as its image.
            arrays.reverse()
        elapsed = float(inputs[ELAPSED][0]) / self._nominal_step
        (output,) = self._engine.step([self._state], [EngineInput(*arrays, elapsed)])
        return {MASK: output.mask[None]}
