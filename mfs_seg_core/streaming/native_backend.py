# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Steps of a network by the native engine: 8-bit weights, integer spikes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import fmean

import numpy as np
import torch

from mfs_seg_core.engine.compiler import compile_network
from mfs_seg_core.engine.engine import Engine, EngineInput, EngineState
from mfs_seg_core.events.tensor import EventWindow, event_tensor
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.model.state import State
from mfs_seg_core.model.unet import UNet
from mfs_seg_core.streaming.backend_interface import Backend
from mfs_seg_core.streaming.inputs import Prepared, StepResult
from mfs_seg_core.streaming.preprocess import resize_images
from mfs_seg_core.weights.metadata import Metadata


class NativeBackend(Backend[EngineState]):
    """A network compiled for the native engine."""

    name = 'native'

    def __init__(self, network: MFSSeg | UNet, metadata: Metadata):
        """
        Compile a network.

        :param network: network whose norms are folded.
        :param metadata: description of its weights.
        :raises UnsupportedNetworkError: the engine has no operations for it.
        :raises EngineUnavailableError: the engine cannot run here.
        """
        self._metadata = metadata
        pixels = 'camera' in metadata.sensors
        self.engine = Engine(compile_network(network, metadata.mean if pixels else None,
                                             metadata.std if pixels else None))
        self.description = f'native, {self.engine.kernels}'

    def state(self) -> EngineState:
        """Return the state of a stream at rest."""
        return EngineState()

    def read(self, state: EngineState) -> State | None:
        """Return copies of the potentials of a stream, ``[1, C, H, W]``; None at rest."""
        arrays = self.engine.read_state(state)
        return arrays and {name: torch.from_numpy(array) for name, array in arrays.items()}

    def load(self, state: EngineState, tensors: State, size: tuple[int, int]) -> None:
        """Set the state of a stream."""
        self.engine.write_state(state, size, {name: tensor.float().cpu().numpy()
                                              for name, tensor in tensors.items()})

    def image(self, frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return the pixels ``[h, w, 3]`` of a frame at the network's size, width and height."""
        if frame.shape[1::-1] == tuple(size):
            return np.array(frame, order='C')
        image = resize_images(torch.tensor(frame).permute(2, 0, 1)[None], size)
        return np.ascontiguousarray(image[0].permute(1, 2, 0).numpy())

    def tensor(self, events: EventWindow, size: tuple[int, int]) -> np.ndarray:
        """Return the network's input ``[E, h, w]`` for events; ``size`` is width, height."""
        return event_tensor(events, self._metadata.event_bins, *size).numpy()

    def step(self, states: Sequence[EngineState], prepared: Sequence[Prepared],
             sizes: Sequence[tuple[int, int]], confidence: bool, firing_rate: bool
             ) -> tuple[list[StepResult], float]:
        """Advance streams by one step each."""
        start = time.perf_counter()
        outputs = self.engine.step(
            states, [EngineInput(each.images, each.events, each.elapsed, size)
                     for each, size in zip(prepared, sizes)], confidence, firing_rate)
        model_ms = 1e3 * (time.perf_counter() - start)
        return [StepResult(output.mask, output.confidence,
                           fmean(output.rates.values()) if output.rates else None)
                for output in outputs], model_ms
