# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Measure weights on labelled frames.

``python -m mfs_seg_core.evaluate --weights camvid --data camvid --root DIR --split val``
``python -m mfs_seg_core.evaluate --weights street --data street --mode stream``
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from mfs_seg_core.metrics import ConfusionMatrix, per_image_score
from mfs_seg_core.streaming import Segmenter

# Street's seeds that no training or validation run uses.
FIRST_SEED = 2_000_000

# A frame of a sequence: uint8 [H, W, 3] RGB, and uint8 [H, W] class ids with 255 for void.
Frame = tuple[np.ndarray, np.ndarray]


def street_sequences(seeds: int, frames: int, size: tuple[int, int]) -> Iterator[Iterable[Frame]]:
    """Give ``frames`` frames of each of ``seeds`` unseen drives."""
    from mfs_seg_core.data.street import Street
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        yield ((frame.image, frame.label) for frame in islice(Street(seed, *size), frames))


def camvid_sequences(root: str, split: str) -> Iterator[Iterable[Frame]]:
    """Give the frames of a split of CamVid, one sequence a drive (the name up to '_')."""
    from mfs_seg_core.data.camvid import CamVid
    frames = CamVid(root, split)
    drives: dict[str, list[int]] = {}
    for index, (path, _) in enumerate(frames.pairs):
        drives.setdefault(path.stem.split('_')[0], []).append(index)
    for indices in drives.values():
        yield (frames[index][:2] for index in indices)


def evaluate(segmenter: Segmenter, sequences: Iterable[Iterable[Frame]], stream: bool) -> dict:
    """
    Compare masks with the truth, at the truth's resolution.

    :param stream: keep the state along each sequence; else each frame starts from rest.
    :returns: ``frames``, ``miou``, ``pixel_accuracy``, ``per_image_score``, ``firing_rate`` and
        ``iou`` by class name (None for a class that does not occur).
    """
    matrix = ConfusionMatrix(len(segmenter.classes))
    scores, rates = [], []
    for sequence in sequences:
        segmenter.reset()
        for image, label in sequence:
            if not stream:
                segmenter.reset()
            result = segmenter.step(image, firing_rate=True)
            matrix.update(result.mask, label)
            scores.append(per_image_score(result.mask, label, len(segmenter.classes)))
            rates.append(result.firing_rate)
    if not scores:
        raise ValueError('there is no frame to evaluate: ask for at least one')
    return {
        'frames': len(scores),
        'miou': matrix.miou,
        'pixel_accuracy': matrix.pixel_accuracy,
        'per_image_score': float(np.mean(scores)),
        'firing_rate': float(np.mean(rates)),
        'iou': {name: None if np.isnan(iou) else float(iou)
                for name, iou in zip(segmenter.classes.names, matrix.iou)},
    }


def table(result: dict) -> str:
    """Lay out a result for people."""
    rows = [(name, '-' if iou is None else f'{100 * iou:6.2f} %')
            for name, iou in result['iou'].items()]
    rows += [('', ''), ('mIoU (global)', f'{100 * result["miou"]:6.2f} %'),
             ('pixel accuracy', f'{100 * result["pixel_accuracy"]:6.2f} %'),
             ('per-image score', f'{100 * result["per_image_score"]:6.2f} %'),
             ('firing rate', f'{result["firing_rate"]:6.3f}'), ('frames', f'{result["frames"]:6d}')]
    return '\n'.join(f'{name:<16}{value:>10}' for name, value in rows)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog='python -m mfs_seg_core.evaluate', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--weights', required=True, help='name or path')
    parser.add_argument('--data', required=True, choices=('camvid', 'street'))
    parser.add_argument('--root', help='folder of CamVid')
    parser.add_argument('--split', default='val', help="list of CamVid (default: '%(default)s')")
    parser.add_argument('--mode', choices=('reset', 'stream'), default='reset',
                        help='start each frame from rest, or keep the state along a sequence')
    parser.add_argument('--seeds', type=int, default=20, help='drives of Street')
    parser.add_argument('--frames', type=int, default=20, help='frames of each drive')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    options = parser.parse_args(arguments)
    try:
        segmenter = Segmenter.from_weights(options.weights, options.device)
        if options.data == 'street':
            sequences = street_sequences(options.seeds, options.frames, segmenter.input_size)
        elif options.root:
            sequences = camvid_sequences(options.root, options.split)
        else:
            raise ValueError('CamVid needs its folder: add --root DIR')
        result = evaluate(segmenter, sequences, options.mode == 'stream')
    except ValueError as error:
        print(f'evaluate: {error}', file=sys.stderr)
        return 1
    print(table(result))
    if options.json:
        heading = {'weights': segmenter.name, 'data': options.data, 'mode': options.mode}
        if options.data == 'camvid':
            heading['split'] = options.split
        options.json.parent.mkdir(parents=True, exist_ok=True)
        aside = options.json.with_name(options.json.name + '.part')
        aside.write_text(json.dumps({**heading, **result}, indent=2) + '\n')
        os.replace(aside, options.json)
    return 0


if __name__ == '__main__':
    sys.exit(main())
