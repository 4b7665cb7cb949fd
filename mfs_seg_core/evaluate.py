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
see :mod:`mfs_seg_core.conditions`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from mfs_seg_core import conditions
from mfs_seg_core.files import write_json
from mfs_seg_core.metrics import ConfusionMatrix, per_image_score
from mfs_seg_core.provenance import DataHash, provenance
from mfs_seg_core.streaming import Segmenter

# Street's seeds that no training or validation run uses.
FIRST_SEED = 2_000_000
# CamVid's names count the frames of a 30 Hz video.
CAMVID_HZ = 30.0
MODES = ('reset', 'repeat', 'stream')

# A frame of a sequence: uint8 [H, W, 3] RGB; uint8 [H, W] class ids with 255 for void; seconds
# since the frame before, None where that is not known.
Frame = tuple[np.ndarray, np.ndarray, 'float | None']


def street_sequences(seeds: int, frames: int, size: tuple[int, int], rate_hz: float,
                     electrons: tuple[float, float] | None = None) -> Iterator[Iterable[Frame]]:
    """
    Give ``frames`` frames of each of ``seeds`` unseen drives.

    :param electrons: as a camera in dim light sees them, to which white is as many electrons,
        from few to many; None: by day.
    """
    from mfs_seg_core.data.street import DimCamera, Street
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        street = Street(seed, *size)
        camera = DimCamera(street, electrons) if electrons else street
        drive = (camera.frame(index / rate_hz) for index in range(frames))
        yield ((frame.image, frame.label, 1 / rate_hz) for frame in drive)


def camvid_sequences(root: str, split: str) -> Iterator[Iterable[Frame]]:
    """Give the frames of a split of CamVid, one sequence a drive (the name up to '_')."""
    from mfs_seg_core.data.camvid import CamVid
    frames = CamVid(root, split)
    drives: dict[str, list[int]] = {}
    for index, (path, _) in enumerate(frames.pairs):
        drives.setdefault(path.stem.split('_')[0], []).append(index)

    def drive(indices: list[int]) -> Iterator[Frame]:
        before = None
        for index in indices:
            number = frames.pairs[index][0].stem.split('_')[-1]
            count = int(number) if number.isdigit() else None
            known = before is not None and count is not None and count > before
            yield *frames[index][:2], (count - before) / CAMVID_HZ if known else None
            before = count

    return (drive(indices) for indices in drives.values())


class _Run:
    """One mode of evaluation: its stream, and what came out so far."""

    def __init__(self, mode: str, steps: int, like: Segmenter):
        self.mode, self.steps = mode, steps
        self.name = f'{mode}@{steps}'
        self.segmenter = like.sibling()
        self.matrix = ConfusionMatrix(len(like.classes))
        self.scores: list[float] = []
        self.rates: list[float] = []

    def see(self, image: np.ndarray, label: np.ndarray, step_s: float | None) -> None:
        if self.mode != 'stream':
            self.segmenter.reset()
            step_s = None
        for _ in range(self.steps):
            result = self.segmenter.step(image, step_s, firing_rate=True)
            if result.firing_rate is not None:
                self.rates.append(result.firing_rate)
        self.matrix.update(result.mask, label)
        self.scores.append(per_image_score(result.mask, label, len(self.segmenter.classes)))

    def figures(self) -> dict:
        return {
            'frames': len(self.scores),
            'miou': self.matrix.miou,
            'pixel_accuracy': self.matrix.pixel_accuracy,
            'per_image_score': float(np.mean(self.scores)),
            'firing_rate': float(np.mean(self.rates)) if self.rates else None,
            'iou': {name: None if np.isnan(iou) else float(iou)
                    for name, iou in zip(self.segmenter.classes.names, self.matrix.iou)},
        }


def evaluate(segmenter: Segmenter, sequences: Iterable[Iterable[Frame]],
             modes: Iterable[str] = MODES, steps: int = 4, seen: DataHash | None = None
             ) -> dict[str, dict]:
    """
    Compare masks with the truth, at the truth's resolution.

    :param steps: N of repeat@N.
    :param seen: takes in frames and truth.
    :returns: by mode ('stream@1'): ``frames``, ``miou``, ``pixel_accuracy``, ``per_image_score``,
        ``firing_rate`` (None without spikes) and ``iou`` by class name (None for a class that does
        not occur).
    """
    runs = [_Run(mode, steps if mode == 'repeat' else 1, segmenter) for mode in modes]
    for sequence in sequences:
        for run in runs:
            run.segmenter.reset()
        for frame in sequence:
            if seen:
                seen.add(frame[0])
                seen.add(frame[1])
            for run in runs:
                run.see(*frame)
    if not runs[0].scores:
        raise ValueError('there is no frame to evaluate: ask for at least one')
    return {run.name: run.figures() for run in runs}


def table(results: dict[str, dict]) -> str:
    """Lay out the results for people, a column a mode."""
    columns = list(results.values())
    rows = [('', list(results))]
    rows += [(name, [_percent(column['iou'][name]) for column in columns])
             for name in columns[0]['iou']]
    rows += [('', [])]
    rows += [(title, [_percent(column[key]) for column in columns]) for title, key in (
        ('mIoU (global)', 'miou'), ('pixel accuracy', 'pixel_accuracy'),
        ('per-image score', 'per_image_score'))]
    rows += [('firing rate', ['-' if column['firing_rate'] is None else
                              f'{column["firing_rate"]:.3f}' for column in columns]),
             ('frames', [str(column['frames']) for column in columns])]
    return '\n'.join(f'{title:<16}' + ''.join(f'{cell:>12}' for cell in cells)
                     for title, cells in rows)


def _percent(share: float | None) -> str:
    return '-' if share is None else f'{100 * share:.2f} %'


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
    parser.add_argument('--sensors', choices=(*conditions.SENSES, 'all'), nargs='+',
                        help='of Street: compare streams that see so (default: all)')
    parser.add_argument('--conditions', choices=(*conditions.CONDITIONS, 'dim', 'all'), nargs='+',
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
    results = conditions.measure(
        segmenter, asked(options.conditions, conditions.CONDITIONS),
        asked(options.sensors, conditions.SENSES), FIRST_SEED, options.seeds, options.frames,
        options.rate, seen)
    print(conditions.table(results))
    if options.json:
        write_json(options.json, {**provenance('mfs_seg_core.evaluate', arguments, seen),
                                  'weights': segmenter.name, 'input_size': segmenter.input_size,
                                  'data': options.data, 'events': 'simulated',
                                  'rate_hz': options.rate, 'seeds': options.seeds, **results})
    return 0


if __name__ == '__main__':
    sys.exit(main())
