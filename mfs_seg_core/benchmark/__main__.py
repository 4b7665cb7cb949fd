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
import sys
from pathlib import Path

from mfs_seg_core.benchmark.cameras import benchmark_cameras
from mfs_seg_core.benchmark.neurons import train_step


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
            from mfs_seg_core.benchmark.events import benchmark_events
            benchmark_events(options.count, options.rounds, options.input)
        else:
            benchmark_cameras(options.cameras, options.rounds, options.seconds, options.threads)
    except (ValueError, ChildProcessError) as error:
        print(f'benchmark: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
