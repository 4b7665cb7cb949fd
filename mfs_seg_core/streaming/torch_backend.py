# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Steps of a network by PyTorch, on any device that it supports."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor

from mfs_seg_core.engine import engine
from mfs_seg_core.events.device_tensor import event_tensor_on
from mfs_seg_core.events.tensor import EventWindow, event_tensor
from mfs_seg_core.model.operations import OperationCounter
from mfs_seg_core.model.stateful import Stateful
from mfs_seg_core.model.unet import UNet
from mfs_seg_core.streaming.backend_interface import Backend
from mfs_seg_core.streaming.batch_state import BatchState, StreamState, gather, scatter
from mfs_seg_core.streaming.cuda_graph import GraphedNetwork
from mfs_seg_core.streaming.inputs import Potentials, Prepared, StepRequest, StepResult
from mfs_seg_core.streaming.preprocess import mask_of, normalise, resize_images
from mfs_seg_core.weights.metadata import Metadata


class TorchBackend(Backend[StreamState]):
    """A network in float32."""

    name = 'torch'

    def __init__(self, network: Stateful | UNet, metadata: Metadata, device: str = 'cpu'):
        """
        Move a network to its device.

        :param network: network in evaluation mode.
        :param metadata: metadata of its weights.
        :param device: torch device.
        :raises ValueError: the device cannot be used here.
        """
        try:
            self._device = torch.device(device)
            network = network.to(self._device, memory_format=torch.channels_last)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(f'device {device!r} cannot be used here '
                             f'({str(error).splitlines()[0]}): use cpu') from None
        # set_threads() may have been called before torch was imported.
        if engine.chosen_threads():
            torch.set_num_threads(engine.chosen_threads())
        self.network, self.metadata = network.eval(), metadata
        cuda = self._device.type == 'cuda'
        self._advance = GraphedNetwork(self.network) if cuda else self.network
        self.device = str(self._device)
        self.description = f'torch on {self.device}'

    def state(self) -> StreamState:
        """Return the state of a stream at rest."""
        return StreamState()

    def read(self, state: StreamState) -> Potentials | None:
        """Return copies of the potentials of a stream; None at rest."""
        tensors = state.tensors()
        return tensors and {name: tensor.float().cpu().numpy().copy()
                            for name, tensor in tensors.items()}

    @torch.inference_mode()
    def load(self, state: StreamState, potentials: Potentials, size: tuple[int, int]) -> None:
        """Set the state of a stream."""
        expected = self.network.init_state(1, *size)
        if expected.keys() != potentials.keys() or any(
                potentials[name].shape != rest.shape for name, rest in expected.items()):
            raise ValueError('the state is of another network or size: load one that was read '
                             'from a stream of these weights and this size')
        # In the memory layout of the network's own potentials.
        BatchState({name: rest.copy_(torch.from_numpy(potentials[name]))
                    for name, rest in expected.items()}, [state])

    @torch.inference_mode()
    def image(self, frame: np.ndarray, size: tuple[int, int]) -> Tensor:
        """Return the network's input ``[1, 3, h, w]`` for a frame; ``size`` is width, height."""
        # A copy: torch warns of read-only arrays, such as those of messages.
        image = torch.tensor(frame, device=self._device).permute(2, 0, 1)[None]
        return normalise(resize_images(image, size), self.metadata)

    @torch.inference_mode()
    def tensor(self, events: EventWindow, size: tuple[int, int]) -> Tensor:
        """Return the network's input ``[1, E, h, w]`` for events; ``size`` is width, height."""
        bins = self.metadata.event_bins
        tensor = (torch.from_numpy(event_tensor(events, bins, *size)) if self.device == 'cpu'
                  else event_tensor_on(self._device, events, bins, *size))
        # Channels last in memory, as in the convolutions.
        return tensor[None].contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def step(self, states: Sequence[StreamState], prepared: Sequence[Prepared],
             sizes: Sequence[tuple[int, int]], request: StepRequest
             ) -> tuple[list[StepResult], float]:
        """Advance streams by one step each."""
        start = time.perf_counter()
        # Rows in the order of the last step, so that gather() need not copy.
        order = sorted(range(len(states)), key=lambda i: states[i].row)
        rows = [states[i] for i in order]
        inputs = _inputs([prepared[i] for i in order], self.network.config.steps)
        counter = OperationCounter(self.network) if request.energy else None
        with counter or nullcontext():
            prediction = self._advance(state=gather(rows), rates=request.firing_rates, **inputs)
        scatter(rows, prediction.state)
        logits = prediction.logits[-1]
        logits = logits[0] if len(logits) == 1 else logits.mean(0)
        rates: list[dict[str, float] | None] = [None] * len(states)
        if prediction.rates:
            # One copy from the device for all layers.
            values = torch.stack(list(prediction.rates.values()), 1).tolist()
            rates = [dict(zip(prediction.rates, row)) for row in values]
        if self._device.type == 'cuda':
            torch.cuda.synchronize(self._device)
        model_ms = 1e3 * (time.perf_counter() - start)
        # The mean of the streams: operations are counted for the whole batch.
        energy_mj = counter.energy_mj() / len(states) if counter else None
        results: dict[int, StepResult] = {}
        for row, i in enumerate(order):
            mask, confidence = mask_of(logits[row:row + 1], sizes[i], request.confidence)
            results[i] = StepResult(mask, confidence, rates[row], energy_mj)
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
