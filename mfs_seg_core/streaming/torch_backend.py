# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Steps of a network by PyTorch, on any device that it supports."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mfs_seg_core.events.tensor import EventWindow, event_tensor
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.model.state import State
from mfs_seg_core.model.unet import UNet
from mfs_seg_core.streaming.backend_interface import Backend
from mfs_seg_core.streaming.batch_state import BatchState, StreamState, gather, scatter
from mfs_seg_core.streaming.cuda_graph import GraphedNetwork
from mfs_seg_core.streaming.inputs import Prepared, StepResult
from mfs_seg_core.streaming.preprocess import mask_of, normalise, resize_images
from mfs_seg_core.weights.metadata import Metadata


class TorchBackend(Backend[StreamState]):
    """A network in float32."""

    name = 'torch'

    def __init__(self, network: MFSSeg | UNet, metadata: Metadata, device: torch.device):
        """
        Create a backend.

        :param network: network on the device, in evaluation mode.
        :param metadata: description of its weights.
        :param device: its device.
        """
        self._network, self._metadata, self._device = network, metadata, device
        self._advance = GraphedNetwork(network) if device.type == 'cuda' else network
        self.description = f'torch on {device}'

    def state(self) -> StreamState:
        """Return the state of a stream at rest."""
        return StreamState()

    def read(self, state: StreamState) -> State | None:
        """Return views of the potentials of a stream, ``[1, C, H, W]``; None at rest."""
        return state.tensors()

    def load(self, state: StreamState, tensors: State, size: tuple[int, int]) -> None:
        """Set the state of a stream."""
        expected = self._network.init_state(1, *size)
        if expected.keys() != tensors.keys() or any(
                tensors[name].shape != rest.shape for name, rest in expected.items()):
            raise ValueError('the state is of another network or size: load one that was read '
                             'from a stream of these weights and this size')
        BatchState({name: tensor.to(expected[name], copy=True) for name, tensor in tensors.items()},
                   [state])

    def image(self, frame: np.ndarray, size: tuple[int, int]) -> Tensor:
        """Return the network's input ``[1, 3, h, w]`` for a frame; ``size`` is width, height."""
        # A copy: torch warns of read-only arrays, such as those of messages.
        image = torch.tensor(frame, device=self._device).permute(2, 0, 1)[None]
        return normalise(resize_images(image, size), self._metadata)

    def tensor(self, events: EventWindow, size: tuple[int, int]) -> Tensor:
        """Return the network's input ``[1, E, h, w]`` for events; ``size`` is width, height."""
        tensor = event_tensor(events, self._metadata.event_bins, *size, self._device)
        # Channels last in memory, as in the convolutions.
        return tensor[None].contiguous(memory_format=torch.channels_last)

    def step(self, states: Sequence[StreamState], prepared: Sequence[Prepared],
             sizes: Sequence[tuple[int, int]], confidence: bool, firing_rate: bool
             ) -> tuple[list[StepResult], float]:
        """Advance streams by one step each."""
        start = time.perf_counter()
        # Rows in the order of the last step, so that gather() need not copy.
        order = sorted(range(len(states)), key=lambda i: states[i].row)
        rows = [states[i] for i in order]
        inputs = _inputs([prepared[i] for i in order], self._network.config.steps)
        prediction = self._advance(state=gather(rows), rates=firing_rate, **inputs)
        scatter(rows, prediction.state)
        logits = prediction.logits[-1]
        logits = logits[0] if len(logits) == 1 else logits.mean(0)
        rates = (torch.stack(list(prediction.rates.values())).mean(0).tolist() if prediction.rates
                 else [None] * len(states))
        if self._device.type == 'cuda':
            torch.cuda.synchronize(self._device)
        model_ms = 1e3 * (time.perf_counter() - start)
        results: dict[int, StepResult] = {}
        for row, i in enumerate(order):
            results[i] = StepResult(*mask_of(logits[row:row + 1], sizes[i], confidence), rates[row])
        return [results[i] for i in range(len(states))], model_ms


def _inputs(prepared: list[Prepared], steps: int) -> dict[str, object]:
    """Return the inputs of the network, ``[T, B, C, H, W]``, from those of the streams."""
    given = {'images': [each.images for each in prepared],
             'events': [each.events for each in prepared]}
    inputs: dict[str, object] = {}
    for name, tensors in given.items():
        any_given = next((x for x in tensors if x is not None), None)
        if any_given is None:
            inputs[name] = None
            continue
        x = any_given if len(tensors) == 1 else torch.cat(
            [torch.zeros_like(any_given) if x is None else x for x in tensors])
        inputs[name] = x[None].expand(steps, *x.shape)
    present = [[x is not None for x in pair] for pair in zip(*given.values())]
    if any(sensors != present[0] for sensors in present):
        inputs['present'] = torch.tensor(present, device=x.device)[None].expand(steps, -1, -1)
    elapsed = [each.elapsed for each in prepared]
    inputs['elapsed'] = (elapsed[0] if len(set(elapsed)) == 1
                         else torch.tensor(elapsed, device=x.device))
    return inputs
