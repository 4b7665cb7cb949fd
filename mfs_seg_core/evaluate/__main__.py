# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Measure weights on labelled frames.

``python -m mfs_seg_core.evaluate --weights camvid --data camvid --root DIR --split val``
``python -m mfs_seg_core.evaluate --weights street --data street --camera dim``
``python -m mfs_seg_core.evaluate --weights street --data street --sensors all --conditions all``

What a mode sees of a sequence of frames:

- reset@1: one step a frame, each from rest: what a network without state would do;
- repeat@N: N steps of the same frame, each from rest: the usual evaluation of a spiking network;
- stream@1: one step a frame, the state kept: what the node does.

With --sensors or --conditions, streams of a camera, of events, and of both are compared instead;
see :mod:`mfs_seg_core.evaluate.robustness`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mfs_seg_core.data.sequences import camvid_sequences, street_sequences
from mfs_seg_core.data.street.seeds import TEST_SEED
from mfs_seg_core.evaluate import robustness
from mfs_seg_core.evaluate.modes import MODES, evaluate, table
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.util.files import write_json
from mfs_seg_core.util.modalities import SENSORS
from mfs_seg_core.util.provenance import DataHash, provenance


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog='python -m mfs_seg_core.evaluate', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--weights', required=True, help='name or path')
    parser.add_argument('--data', required=True, choices=('camvid', 'street'))
    parser.add_argument('--root', help='folder of CamVid')
    parser.add_argument('--split', default='val', help="list of CamVid (default: '%(default)s')")
    parser.add_argument('--mode', choices=MODES, action='append',
                        help='measure this mode; may be given again (default: all)')
    parser.add_argument('--steps', type=int, default=4, help='N of repeat@N (default: %(default)s)')
    parser.add_argument('--camera', choices=('day', 'dim'), default='day',
                        help='of Street: its own, or one in dim light, with noise and motion blur')
    parser.add_argument('--electrons', type=float, nargs=2, metavar=('LOW', 'HIGH'),
                        help='that white is to the camera in dim light: the fewer, the more noise '
                             '(default: 20 400)')
    parser.add_argument('--sensors', choices=(*SENSORS, 'all'), nargs='+',
                        help='of Street: compare streams that see so (default: all)')
    parser.add_argument('--conditions', choices=(*robustness.CONDITIONS, 'dim', 'all'), nargs='+',
                        help='of Street: what is hard for the camera (default: all)')
    parser.add_argument('--rate', type=float, default=20.0,
                        help='frames a second of Street (default: %(default)s)')
    parser.add_argument('--seeds', type=int, default=20, help='drives of Street')
    parser.add_argument('--frames', type=int, default=20, help='frames of each drive')
    parser.add_argument('--size', type=int, nargs=2, metavar=('WIDTH', 'HEIGHT'),
                        help='size that frames are resized to (default: as trained)')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    options = parser.parse_args(arguments)
    try:
        segmenter = Segmenter.from_weights(options.weights, options.device, options.size)
        if options.sensors or options.conditions:
            return _compare(segmenter, options, arguments)
        if options.data == 'street':
            if not 0 < options.rate < float('inf'):
                raise ValueError(f'--rate is {options.rate}: give frames a second, above 0')
            electrons = None
            if options.camera == 'dim':
                from mfs_seg_core.data.street.sensor import WHITE
                electrons = options.electrons = options.electrons or WHITE
            sequences = street_sequences(options.seeds, options.frames, segmenter.input_size,
                                         options.rate, electrons)
        elif options.root:
            sequences = camvid_sequences(options.root, options.split)
        else:
            raise ValueError('CamVid needs its folder: add --root DIR')
        if options.steps < 1:
            raise ValueError(f'--steps is {options.steps}: give 1 or more')
        seen = DataHash()
        results = evaluate(segmenter, sequences, options.mode or MODES, options.steps, seen)
    except ValueError as error:
        print(f'evaluate: {error}', file=sys.stderr)
        return 1
    print(table(results))
    if options.json:
        heading = {**provenance('mfs_seg_core.evaluate', arguments, seen),
                   'weights': segmenter.name, 'input_size': segmenter.input_size,
                   'data': options.data}
        if options.data == 'camvid':
            heading['split'] = options.split
        else:
            heading |= {'camera': options.camera, 'rate_hz': options.rate}
            if options.camera == 'dim':
                heading['electrons'] = options.electrons
        # The first mode once more at the top, for those who want one figure.
        first = next(iter(results))
        heading |= {'mode': first, **results[first]}
        write_json(options.json, {**heading, **results})
    return 0


def _compare(segmenter: Segmenter, options: argparse.Namespace, arguments: list[str] | None
             ) -> int:
    """Compare senses under conditions, as the options ask for."""
    if options.data != 'street':
        raise ValueError('only Street has a camera and events: use --data street, or leave out '
                         '--sensors and --conditions')

    def asked(chosen: list[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
        return known if not chosen or 'all' in chosen else tuple(dict.fromkeys(chosen))

    seen = DataHash()
    results = robustness.measure(
        segmenter, asked(options.conditions, robustness.CONDITIONS),
        asked(options.sensors, SENSORS), TEST_SEED, options.seeds, options.frames,
        options.rate, seen)
    print(robustness.table(results))
    if options.json:
        write_json(options.json, {**provenance('mfs_seg_core.evaluate', arguments, seen),
                                  'weights': segmenter.name, 'input_size': segmenter.input_size,
                                  'data': options.data, 'events': 'simulated',
                                  'rate_hz': options.rate, 'seeds': options.seeds, **results})
    return 0


if __name__ == '__main__':
    sys.exit(main())
