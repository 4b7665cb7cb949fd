# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Measure speed against peers, in the same run.

``python -m mfs_seg_core.benchmark train-step``: T steps of a layer of neurons, forward and
backward, against SpikingJelly's multi-step neurons at the same settings.

``python -m mfs_seg_core.benchmark events``: events decoded from EVT3, and made tensors of, in a
second, against evt3, expelliarmus, NumPy and tonic, where they are installed.

``python -m mfs_seg_core.benchmark cameras``: frames a second and memory of several cameras in one
process, as a batch, against a process for each.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from mfs_seg_core.benchmark_cameras import benchmark_cameras
from mfs_seg_core.neuron import LIF, THRESHOLD

LEAK = 0.25
LEVELS = 4
# The first rounds allocate memory and warm caches.
WARM_UP = 2

Layer = Callable[[Tensor], Tensor]


def our_layers() -> dict[str, Layer]:
    """Give neurons as functions from currents ``[T, B, C, H, W]`` to spikes, by what they are."""
    def layer(levels: int) -> Layer:
        neuron = LIF(levels, LEAK)
        return lambda currents: neuron.run(currents)[0]
    return {'binary, hard reset': layer(1), f'integer 0..{LEVELS}, soft reset': layer(LEVELS)}


def spikingjelly_layers() -> dict[str, Layer]:
    """
    Give SpikingJelly's neurons of the same equation and gradient, by the same names.

    :raises ImportError: it is not installed.
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
    """Time one forward and backward pass."""
    currents = currents.detach().requires_grad_()
    start = time.perf_counter()
    layer(currents).backward(gradient)
    return time.perf_counter() - start


def kept_bytes(layer: Layer, currents: Tensor) -> int:
    """Count the memory that the forward pass leaves for the backward pass."""
    storages = {}

    def keep(tensor: Tensor) -> Tensor:
        # A view keeps all of its storage alive; several of them keep it once.
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        layer(currents.detach().requires_grad_())
    return sum(storage.nbytes() for storage in storages.values())


def train_step(shape: tuple[int, ...], rounds: int) -> None:
    """
    Print medians over ``rounds`` in which all layers take turns.

    :param shape: ``[T, B, C, H, W]`` of the currents.
    """
    torch.manual_seed(0)
    currents, gradient = torch.randn(shape), torch.randn(shape)
    print(f'Forward and backward pass of T = {shape[0]} steps, currents {list(shape)} float32, '
          f'{torch.get_num_threads()} thread(s), median of {rounds} rounds')
    layers = {('ours', kind): layer for kind, layer in our_layers().items()}
    try:
        layers |= {('SpikingJelly', kind): layer for kind, layer in spikingjelly_layers().items()}
    except ImportError:
        print('SpikingJelly is not installed, so there is nothing to compare with: '
              'scripts/setup.sh installs it.')
    times: dict[tuple[str, str], list[float]] = {key: [] for key in layers}
    for _ in range(WARM_UP + rounds):
        for key, layer in layers.items():
            times[key].append(seconds(layer, currents, gradient))
    for kind in our_layers():
        figures = {}
        for who in ('ours', 'SpikingJelly'):
            if (who, kind) in layers:
                figures[who] = (statistics.median(times[who, kind][WARM_UP:]),
                                kept_bytes(layers[who, kind], currents))
                median, kept = figures[who]
                print(f'{kind:<26} {who:<13} {1e3 * median:8.1f} ms   keeps {kept / 1e6:7.1f} MB '
                      f'({kept / currents.nbytes:.1f} times the currents)')
        if len(figures) == 2:
            (our_time, our_memory), (their_time, their_memory) = figures.values()
            print(f'{"":<26} SpikingJelly / ours: time {their_time / our_time:.2f}, '
                  f'memory {their_memory / our_memory:.2f}')


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog='python -m mfs_seg_core.benchmark', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest='verb', required=True)
    verb = verbs.add_parser('train-step', help='neurons over T steps, forward and backward')
    verb.add_argument('--shape', type=int, nargs=5, default=(5, 4, 64, 46, 60),
                      metavar=('T', 'B', 'C', 'H', 'W'), help='(default: %(default)s)')
    verb.add_argument('--rounds', type=int, default=15, help='(default: %(default)s)')
    verb = verbs.add_parser('events', help='decoding, and tensors')
    verb.add_argument('--input', type=Path, metavar='FILE',
                      help='a RAW file of EVT3 (default: a synthetic stream)')
    verb.add_argument('--count', type=int, default=4_000_000, metavar='N',
                      help='events to decode, at least (default: %(default)s)')
    verb.add_argument('--rounds', type=int, default=7, help='(default: %(default)s)')
    verb = verbs.add_parser('cameras', help='several cameras as one batch')
    verb.add_argument('--cameras', type=int, default=3, metavar='N', help='(default: %(default)s)')
    verb.add_argument('--threads', type=int, default=0, metavar='T',
                      help='of the one process (default: one for each core)')
    verb.add_argument('--seconds', type=float, default=5.0, metavar='S',
                      help='for which each side runs, in each round (default: %(default)s)')
    verb.add_argument('--rounds', type=int, default=5, help='(default: %(default)s)')
    options = parser.parse_args(arguments)
    name = {'train-step': 'shape', 'events': 'count', 'cameras': 'cameras'}[options.verb]
    numbers = getattr(options, name)
    if min(*(numbers if name == 'shape' else [numbers]), options.rounds) < 1:
        print(f'benchmark: --{name} and --rounds take numbers of 1 or more', file=sys.stderr)
        return 1
    try:
        if options.verb == 'train-step':
            train_step(tuple(options.shape), options.rounds)
        elif options.verb == 'events':
            # Only this needs Numba.
            from mfs_seg_core.benchmark_events import benchmark_events
            benchmark_events(options.count, options.rounds, options.input)
        else:
            benchmark_cameras(options.cameras, options.rounds, options.seconds, options.threads)
    except (ValueError, ChildProcessError) as error:
        print(f'benchmark: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
