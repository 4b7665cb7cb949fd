# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Measure weights on labelled frames.

``mfs-seg evaluate --weights camvid --data camvid --root DIR --split val``
``mfs-seg evaluate --weights street --data street --camera dim``
``mfs-seg evaluate --weights street --data street --sensors all --conditions all``
``mfs-seg evaluate --weights camvid --data camvid --root DIR --encodings all``
``mfs-seg evaluate --weights FILE --data own.yaml --split val``

The modes differ in the steps for each frame of a sequence:

- reset@1: one step for each frame, from rest: a network without state;
- repeat@N: N steps of the same frame, from rest: the usual evaluation of a spiking network;
- stream@1: one step for each frame, the state kept: the mode of the node.

With --sensors or --conditions, streams of a camera, of events and of both are compared instead;
see :mod:`mfs_seg_core.evaluate.robustness`. With --encodings, the stream is compared with itself
when the frames come in other encodings of cameras.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from mfs_seg_core.util.extras import missing

try:
    from mfs_seg_core.data.folder.dataset import LabelledFolder
    from mfs_seg_core.data.folder.settings import read_data_file
    from mfs_seg_core.data.sequences import (
        LabelledFrame,
        camvid_sequences,
        folder_sequences,
        street_sequences,
    )
    from mfs_seg_core.data.street.seeds import TEST_SEED
    from mfs_seg_core.evaluate import robustness
    from mfs_seg_core.evaluate.modes import MODES, evaluate, table
    from mfs_seg_core.streaming.backend import BACKENDS
    from mfs_seg_core.streaming.segmenter import Segmenter
    from mfs_seg_core.util.files import write_json
    from mfs_seg_core.util.modalities import SENSORS
    from mfs_seg_core.util.provenance import DataHash, provenance
except ModuleNotFoundError as error:
    if __name__ != '__main__':
        raise
    sys.exit(f'evaluate: evaluation needs {missing(error.name, ["data"])}')

YAML = ('.yaml', '.yml')


def main(arguments: list[str] | None = None) -> int:
    """Run ``mfs-seg evaluate``; return the exit code."""
    options = _parse(arguments)
    try:
        segmenter = Segmenter.from_weights(options.weights, options.device, options.size,
                                           options.backend)
        if options.sensors or options.conditions:
            return _compare_sensors(segmenter, options, arguments)
        if options.encodings:
            return _compare_encodings(segmenter, options, arguments)
        return _compare_modes(segmenter, options, arguments)
    except ValueError as error:
        print(f'evaluate: {error}', file=sys.stderr)
        return 1


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='mfs-seg evaluate', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--weights', required=True, help='name or path')
    parser.add_argument('--data', required=True, metavar='{camvid,street,FILE}',
                        help='data set, or a YAML file that describes a folder of images and '
                             'labels')
    parser.add_argument('--root', help='folder of CamVid, or of the data of FILE')
    parser.add_argument('--split',
                        help="list of CamVid, split of FILE, or 'all' (default: 'val', or the "
                             'val_split of FILE)')
    parser.add_argument('--mode', choices=MODES, action='append',
                        help='mode to measure; may be repeated (default: all)')
    parser.add_argument('--steps', type=int, default=4, help='N of repeat@N (default: %(default)s)')
    parser.add_argument('--camera', choices=('day', 'dim'), default='day',
                        help="camera of Street: 'day', or 'dim' with dim light, noise and motion "
                             'blur (default: %(default)s)')
    parser.add_argument('--electrons', type=float, nargs=2, metavar=('LOW', 'HIGH'),
                        help='electrons of a white pixel in dim light: the fewer, the more noise '
                             '(default: 20 400)')
    parser.add_argument('--sensors', choices=(*SENSORS, 'all'), nargs='+',
                        help='compare streams of these sensors of Street (default: all)')
    parser.add_argument('--conditions', choices=(*robustness.CONDITIONS, 'dim', 'all'), nargs='+',
                        help='conditions to compare the sensors of Street under (default: all)')
    parser.add_argument('--encodings', nargs='+', metavar='NAME',
                        help="compare streams whose frames come in these encodings, or 'all'")
    parser.add_argument('--rate', type=float, default=20.0,
                        help='frames per second of Street (default: %(default)s)')
    parser.add_argument('--seeds', type=int, default=20,
                        help='drives of Street (default: %(default)s)')
    parser.add_argument('--frames', type=int, default=20,
                        help='frames of each drive of Street (default: %(default)s)')
    parser.add_argument('--size', type=int, nargs=2, metavar=('WIDTH', 'HEIGHT'),
                        help='input size of the network (default: as trained)')
    parser.add_argument('--device', default='cpu',
                        help='device of PyTorch (default: %(default)s)')
    parser.add_argument('--backend', choices=BACKENDS, default='torch',
                        help='torch, or the native engine; auto: native where it can run '
                             '(default: %(default)s)')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    return parser.parse_args(arguments)


def _sequences(segmenter: Segmenter, options: argparse.Namespace
               ) -> tuple[Callable[[], Iterable[Iterable[LabelledFrame]]], dict]:
    """Return a function that returns the frames by sequence, and values that describe them."""
    if options.data == 'camvid':
        if not options.root:
            raise ValueError('CamVid needs its folder: add --root DIR')
        split = options.split or 'val'
        return partial(camvid_sequences, options.root, split), {'split': split}
    if options.data != 'street':
        return _folder(segmenter, options)
    if not 0 < options.rate < float('inf'):
        raise ValueError(f'--rate is {options.rate}: give frames per second, above 0')
    described = {'camera': options.camera, 'rate_hz': options.rate}
    electrons = None
    if options.camera == 'dim':
        from mfs_seg_core.data.street.sensor import WHITE
        described['electrons'] = electrons = options.electrons or WHITE
    return partial(street_sequences, options.seeds, options.frames, segmenter.input_size,
                   options.rate, electrons), described


def _folder(segmenter: Segmenter, options: argparse.Namespace
            ) -> tuple[Callable[[], Iterable[Iterable[LabelledFrame]]], dict]:
    if not options.data.endswith(YAML):
        raise ValueError(f"--data is '{options.data}': name camvid, street, or a file "
                         f'({", ".join(YAML)}) that describes a folder of images and labels')
    described = read_data_file(options.data, options.root)
    split = options.split or described.val
    folder = LabelledFolder(described.root, described.settings, split)
    if folder.classes.names != segmenter.classes.names:
        raise ValueError(f'the weights have the classes {", ".join(segmenter.classes.names)}, the '
                         f'data {", ".join(folder.classes.names)}: name weights that were trained '
                         'on these, or change the file of classes')
    return partial(folder_sequences, folder), {'split': split}


def _compare_encodings(segmenter: Segmenter, options: argparse.Namespace,
                       arguments: list[str] | None) -> int:
    # Imported here: other comparisons need no OpenCV.
    from mfs_seg_core.evaluate import encodings
    names = encodings.chosen(options.encodings)
    sequences, described = _sequences(segmenter, options)
    data_hash = DataHash()
    results = encodings.measure(segmenter, sequences, names, data_hash)
    print(table(results))
    _write(segmenter, options, arguments, data_hash, {**described, **results})
    return 0


def _compare_modes(segmenter: Segmenter, options: argparse.Namespace,
                   arguments: list[str] | None) -> int:
    sequences, described = _sequences(segmenter, options)
    if options.steps < 1:
        raise ValueError(f'--steps is {options.steps}: give 1 or more')
    data_hash = DataHash()
    results = evaluate(segmenter, sequences(), options.mode or MODES, options.steps, data_hash)
    print(table(results))
    # The first mode is repeated at the top level, for readers of a single figure.
    first = next(iter(results))
    _write(segmenter, options, arguments, data_hash,
           {**described, 'mode': first, **results[first], **results})
    return 0


def _compare_sensors(segmenter: Segmenter, options: argparse.Namespace,
                     arguments: list[str] | None) -> int:
    if options.data != 'street':
        raise ValueError('only Street has a camera and events: use --data street, or leave out '
                         '--sensors and --conditions')

    def selected(chosen: list[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
        return known if not chosen or 'all' in chosen else tuple(dict.fromkeys(chosen))

    data_hash = DataHash()
    results = robustness.measure(
        segmenter, selected(options.conditions, robustness.CONDITIONS),
        selected(options.sensors, tuple(SENSORS)), TEST_SEED, options.seeds, options.frames,
        options.rate, data_hash)
    print(robustness.table(results))
    _write(segmenter, options, arguments, data_hash,
           {'events': 'simulated', 'rate_hz': options.rate, 'seeds': options.seeds, **results})
    return 0


def _write(segmenter: Segmenter, options: argparse.Namespace, arguments: list[str] | None,
           data_hash: DataHash, figures: dict) -> None:
    if options.json:
        write_json(options.json, {
            **provenance('evaluate', arguments, data_hash), 'weights': segmenter.name,
            'backend': segmenter.backend, 'input_size': segmenter.input_size,
            'data': options.data, **figures})


if __name__ == '__main__':
    sys.exit(main())
