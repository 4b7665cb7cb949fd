# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Measure speed against peers, in the same run.

``mfs-seg benchmark train-step``: forward and backward pass of T steps of a layer of neurons,
against SpikingJelly's multi-step neurons with the same settings.

``mfs-seg benchmark training``: images per second of training on a CPU, with torch's layers and with
the fused ones.

``mfs-seg benchmark events``: decoding of EVT3, and event tensors, against evt3, expelliarmus, NumPy
and tonic, where they are installed.

``mfs-seg benchmark step``: a step of our network, by the native engine and by torch, against an
image of U-Net and of Fast-SCNN, in torch and, where it is installed, in OpenVINO; and where the
time of our step goes.

``mfs-seg benchmark cameras``: frames per second and memory of several cameras in one process, as a
batch, against one process for each camera.

``mfs-seg benchmark points``: labelled points of a depth image and of a point cloud.

Packages may have further benchmarks, which the entry points of the group ``mfs_seg.benchmarks``
name: ``mfs-seg benchmark node`` and ``node-events`` measure the ROS node.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import numpy as np

from mfs_seg_core.benchmark.cameras import benchmark_cameras
from mfs_seg_core.benchmark.points import points

# Entry points of further benchmarks: functions that take arguments and return an exit code.
GROUP = 'mfs_seg.benchmarks'


def main(arguments: list[str] | None = None) -> int:
    """Run ``mfs-seg benchmark``; return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and (found := entry_points(group=GROUP, name=arguments[0])):
        return _run(next(iter(found)), arguments[1:])
    options = _parse(arguments)
    names = {'train-step': ['shape', 'rounds'], 'events': ['count', 'rounds'],
             'cameras': ['cameras', 'rounds'], 'step': ['rounds'],
             'training': ['rounds'], 'points': ['rounds']}[options.benchmark]
    if any(np.min(getattr(options, name)) < 1 for name in names):
        print(f'benchmark: {" and ".join(f"--{name}" for name in names)} must be 1 or more',
              file=sys.stderr)
        return 1
    try:
        if options.benchmark == 'train-step':
            # Only training needs torch.
            from mfs_seg_core.benchmark.neurons import train_step
            train_step(tuple(options.shape), options.rounds)
        elif options.benchmark == 'events':
            # Only this benchmark needs Numba.
            from mfs_seg_core.benchmark.events import benchmark_events
            benchmark_events(options.count, options.rounds, options.input)
        elif options.benchmark == 'step':
            # Only this benchmark needs OpenCV, for its images.
            from mfs_seg_core.benchmark.step import step
            step(options.rounds, options.json, options.picture)
        elif options.benchmark == 'training':
            # Only this benchmark needs torch for training.
            from mfs_seg_core.benchmark.training import training
            training(options.rounds, options.json)
        elif options.benchmark == 'points':
            points(options.rounds)
        else:
            benchmark_cameras(options.cameras, options.rounds, options.seconds, options.threads,
                              options.backend)
    except (ValueError, ChildProcessError) as error:
        print(f'benchmark: {error}', file=sys.stderr)
        return 1
    return 0


def _run(benchmark: EntryPoint, arguments: list[str]) -> int:
    try:
        run = benchmark.load()
    except ModuleNotFoundError as error:
        print(f'benchmark: {benchmark.name} needs the Python package {error.name}: source the '
              'environment that has it, or install it', file=sys.stderr)
        return 1
    return run(arguments)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='mfs-seg benchmark', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    benchmarks = parser.add_subparsers(dest='benchmark', required=True)

    def add(name: str, text: str, rounds: int) -> argparse.ArgumentParser:
        benchmark = benchmarks.add_parser(name, help=text)
        benchmark.add_argument('--rounds', type=int, default=rounds,
                               help='rounds to take medians over (default: %(default)s)')
        return benchmark

    train = add('train-step', 'neurons over T steps, forward and backward', 15)
    train.add_argument('--shape', type=int, nargs=5, default=(5, 4, 64, 46, 60),
                       metavar=('T', 'B', 'C', 'H', 'W'),
                       help='shape of the currents (default: %(default)s)')
    events = add('events', 'decoding and event tensors', 7)
    events.add_argument('--input', type=Path, metavar='FILE',
                        help='a RAW file of EVT3 (default: a synthetic stream)')
    events.add_argument('--count', type=int, default=4_000_000, metavar='N',
                        help='events to decode, at least (default: %(default)s)')
    step = add('step', 'a step of our network, U-Net and Fast-SCNN', 30)
    step.add_argument('--picture', type=Path, metavar='FILE',
                      help='file to draw the parts of a step to')
    for each in (step, add('training', 'training on a CPU', 15)):
        each.add_argument('--json', type=Path, metavar='FILE', help='file to write the figures to')
    add('points', 'labelled points of depth images and clouds', 60)
    cameras = add('cameras', 'several cameras as one batch', 5)
    cameras.add_argument('--cameras', type=int, default=3, metavar='N',
                         help='number of cameras (default: %(default)s)')
    cameras.add_argument('--threads', type=int, default=0, metavar='T',
                         help='threads of the batch (default: one for each core)')
    cameras.add_argument('--seconds', type=float, default=5.0, metavar='S',
                         help='seconds of a measurement (default: %(default)s)')
    cameras.add_argument('--backend', choices=('native', 'torch'), default='native',
                         help='backend of the network (default: %(default)s)')
    return parser.parse_args(arguments)


if __name__ == '__main__':
    sys.exit(main())
