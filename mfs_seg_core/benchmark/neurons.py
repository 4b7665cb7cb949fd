# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training step of a layer of neurons, against SpikingJelly's multi-step neurons."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from mfs_seg_core.model.neuron import LIF, THRESHOLD

LEAK = 0.25
LEVELS = 4
# The first rounds allocate memory and warm caches.
WARM_UP = 2

Layer = Callable[[Tensor], Tensor]


def our_layers() -> dict[str, Layer]:
    """Return our neurons by kind, as functions from currents ``[T, B, C, H, W]`` to spikes."""
    def layer(levels: int) -> Layer:
        neuron = LIF(levels, LEAK)
        return lambda currents: neuron.run(currents)[0]
    return {'binary, hard reset': layer(1), f'integer 0..{LEVELS}, soft reset': layer(LEVELS)}


def spikingjelly_layers() -> dict[str, Layer]:
    """
    Return SpikingJelly's neurons of the same equation and gradient, by the same kinds.

    :returns: functions from currents ``[T, B, C, H, W]`` to spikes.
    :raises ImportError: SpikingJelly is not installed.
    """
    from spikingjelly.activation_based import neuron, surrogate
    same = dict(tau=1 / (1 - LEAK), detach_reset=True, step_mode='m')
    nodes = [
        neuron.LIFNode(decay_input=False, v_threshold=THRESHOLD, v_reset=0.0,
                       surrogate_function=surrogate.Rect(alpha=1.0), **same),
        neuron.ILIFNode(v_threshold=1.0, **same,
                        surrogate_function=surrogate.MultiLevelSpikeCount(LEVELS))]

    def layer(node) -> Layer:
        def fire(currents: Tensor) -> Tensor:
            node.reset()
            return node(currents)
        return fire
    return dict(zip(our_layers(), map(layer, nodes)))


def seconds(layer: Layer, currents: Tensor, gradient: Tensor) -> float:
    """Return the time of one forward and backward pass in s."""
    currents = currents.detach().requires_grad_()
    start = time.perf_counter()
    layer(currents).backward(gradient)
    return time.perf_counter() - start


def kept_bytes(layer: Layer, currents: Tensor) -> int:
    """Return the memory that the forward pass keeps for the backward pass, in bytes."""
    storages = {}

    def keep(tensor: Tensor) -> Tensor:
        # A view keeps its whole storage alive, and several views of a storage keep it once.
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        layer(currents.detach().requires_grad_())
    return sum(storage.nbytes() for storage in storages.values())


def train_step(shape: tuple[int, ...], rounds: int) -> None:
    """
    Print medians of time and memory; the layers take turns.

    :param shape: ``[T, B, C, H, W]`` of the currents.
    :param rounds: number of rounds.
    """
    torch.manual_seed(0)
    currents, gradient = torch.randn(shape), torch.randn(shape)
    print(f'Forward and backward pass of T = {shape[0]} steps, currents {list(shape)} float32, '
          f'{torch.get_num_threads()} thread(s), median of {rounds} rounds')
    layers = {('ours', kind): layer for kind, layer in our_layers().items()}
    try:
        layers |= {('SpikingJelly', kind): layer for kind, layer in spikingjelly_layers().items()}
    except ImportError:
        print('SpikingJelly is not installed, so there is no comparison: '
              'scripts/setup.sh installs it.')
    times: dict[tuple[str, str], list[float]] = {key: [] for key in layers}
    for _ in range(WARM_UP + rounds):
        for key, layer in layers.items():
            times[key].append(seconds(layer, currents, gradient))
    for kind in our_layers():
        figures = {}
        for source in ('ours', 'SpikingJelly'):
            if (source, kind) in layers:
                figures[source] = (statistics.median(times[source, kind][WARM_UP:]),
                                   kept_bytes(layers[source, kind], currents))
                median, kept = figures[source]
                print(f'{kind:<26} {source:<13} {1e3 * median:8.1f} ms   keeps '
                      f'{kept / 1e6:7.1f} MB ({kept / currents.nbytes:.1f} times the currents)')
        if len(figures) == 2:
            (our_time, our_memory), (their_time, their_memory) = figures.values()
            print(f'{"":<26} SpikingJelly / ours: time {their_time / our_time:.2f}, '
                  f'memory {their_memory / our_memory:.2f}')
