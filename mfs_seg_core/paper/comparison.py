# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Train U-Net and MFS-Seg alike, and compare what they reach and what they cost.

``python -m mfs_seg_core.beside --data camvid --root DIR --json docs/results/beside_camvid.json``
``python -m mfs_seg_core.beside --data street --json docs/results/beside_street.json``

All are trained on stills from random weights by one file of settings. What is trained already is
taken as it is, and a stopped run goes on. Each image is segmented from rest, by 'paper' with its
five steps: who was trained on stills has learnt nothing of streams. CamVid is measured on the split
that also chose each run's best epoch, Street on drives that no run has seen.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from itertools import chain
from pathlib import Path
from statistics import median

import numpy as np

from mfs_seg_core.analysis.energy import AC_PJ, MAC_PJ, parameters
from mfs_seg_core.analysis.profile import profile
from mfs_seg_core.data.sequences import LabelledFrame, camvid_sequences, street_sequences
from mfs_seg_core.evaluate.modes import evaluate
from mfs_seg_core.model.network import fold_norms
from mfs_seg_core.streaming.segmenter import Segmenter, set_threads
from mfs_seg_core.train import train
from mfs_seg_core.train.checkpoints import length
from mfs_seg_core.train.settings import Settings, check, read_settings
from mfs_seg_core.util.files import write_json
from mfs_seg_core.util.provenance import DataHash, provenance
from mfs_seg_core.weights.file import load_weights

# The first is what the others are compared with.
MODELS = ('unet', 'paper', 'fast')
# Operations and time are those of a few frames: 'paper' takes seconds a frame on a CPU.
COST_FRAMES = 5


def trained(settings: Settings, runs: Path) -> Path:
    """
    Give a run's weights file, and train first what is not there yet.

    :raises ValueError: the settings or the data cannot be used.
    """
    path = runs / settings.name / f'{settings.name}.safetensors'
    if not path.is_file():
        print(f'Training {settings.name} for {settings.epochs} epochs', flush=True)
        train(settings, runs)
    return path


def measure(paths: dict[str, Path], drives: list[list[LabelledFrame]], seen: DataHash
            ) -> dict[str, dict]:
    """
    Measure quality and cost of weights on the same frames.

    :param paths: weights files by name, U-Net's first.
    :param seen: takes in frames and truth.
    :returns: by name ``epochs`` and ``steps`` of its training, ``parameters``, what
        :func:`~mfs_seg_core.evaluate.modes.evaluate` gives for reset@1, ``macs``, ``acs``,
        ``firing_rate``, ``energy_mj`` and ``latency_ms`` of a frame; and beside U-Net's
        ``miou_beside_unet``, ``ratio_parameters``, ``ratio_energy`` and ``ratio_latency``.
    :raises ValueError: weights cannot be used, were not trained alike, or there is no frame.
    """
    budgets = {name: length(path.parent) for name, path in paths.items()}
    if len(set(budgets.values())) > 1:
        told = ', '.join(f'{name} {epochs} and {steps}'
                         for name, (epochs, steps) in budgets.items())
        raise ValueError(f'epochs and steps of the runs differ ({told}): remove those to train '
                         'again, or give an empty folder as --runs')
    results, segmenters = {}, {}
    frames = _spread([frame[0] for frame in chain.from_iterable(drives)])
    for name, path in paths.items():
        network, metadata = load_weights(path)
        size = parameters(network)
        ours = segmenters[name] = Segmenter(fold_norms(network), metadata)
        print(f'Measuring {metadata.name}', flush=True)
        quality = evaluate(ours, drives, ('reset',), seen=None if results else seen)['reset@1']
        cost = profile(ours, [[(frame, None, None) for frame in frames]], 1, MAC_PJ, AC_PJ,
                       DataHash())['repeat@1']
        # The firing rate of what is counted: of what goes into layers.
        results[name] = {'epochs': budgets[name][0], 'steps': budgets[name][1],
                         'parameters': size, **quality, **{
                             key: cost[key] for key in ('macs', 'acs', 'firing_rate', 'energy_mj')}}
    for name, spent in latencies(segmenters, frames).items():
        results[name]['latency_ms'] = spent
    unet, *others = results.values()
    for ours in others:
        ours['miou_beside_unet'] = ours['miou'] - unet['miou']
        for ratio, key in (('parameters', 'parameters'), ('energy', 'energy_mj'),
                           ('latency', 'latency_ms')):
            ours[f'ratio_{ratio}'] = unet[key] / ours[key]
    return results


def _spread(frames: list[np.ndarray]) -> list[np.ndarray]:
    """Choose a few of the frames, from the first to the last."""
    places = np.linspace(0, len(frames) - 1, min(len(frames), COST_FRAMES))
    return [frames[int(place)] for place in places]


def latencies(segmenters: dict[str, Segmenter], frames: list[np.ndarray]) -> dict[str, float]:
    """
    Give the median time of a frame in ms on one thread, where all take turns.

    U-Net's norms are not folded into its convolutions as ours are: 2 % of its time.
    """
    set_threads(1)
    times = {name: [] for name in segmenters}
    # The first time allocates memory.
    for frame in [frames[0], *frames]:
        for name, segmenter in segmenters.items():
            segmenter.reset()
            start = time.perf_counter()
            segmenter.step(frame)
            times[name].append(time.perf_counter() - start)
    return {name: 1e3 * median(spent[1:]) for name, spent in times.items()}


def table(results: dict[str, dict]) -> str:
    """Lay out the results for people, a column a network."""
    rows = [f'{"":<22}' + ''.join(f'{name:>14}' for name in results)]
    for title, key, scale, form in (
            ('mIoU (global)', 'miou', 1, '.4f'), ('per-image score', 'per_image_score', 1, '.4f'),
            ('pixel accuracy', 'pixel_accuracy', 1, '.4f'), ('parameters', 'parameters', 1, ',d'),
            ('MACs, 10^6', 'macs', 1e-6, '.1f'), ('ACs, 10^6', 'acs', 1e-6, '.1f'),
            ('firing rate', 'firing_rate', 1, '.3f'), ('energy, mJ', 'energy_mj', 1, '.3f'),
            ('latency, ms', 'latency_ms', 1, '.1f'), ('epochs', 'epochs', 1, 'd'),
            ('steps', 'steps', 1, 'd'), ('U-Net / parameters', 'ratio_parameters', 1, '.1f'),
            ('U-Net / energy', 'ratio_energy', 1, '.1f'),
            ('U-Net / latency', 'ratio_latency', 1, '.1f')):
        cells = [result.get(key) for result in results.values()]
        rows.append(f'{title:<22}' + ''.join(
            f'{"-" if cell is None else format(cell * scale, form):>14}' for cell in cells))
    return '\n'.join(rows)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog='python -m mfs_seg_core.beside', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', required=True, choices=('camvid', 'street'))
    parser.add_argument('--root', default='', help='folder of CamVid')
    parser.add_argument('--config', default='config/train/beside.yaml',
                        help='settings of all runs (default: %(default)s)')
    parser.add_argument('--set', nargs='*', default=[], metavar='KEY=VALUE',
                        help='override settings of the file, of all runs alike')
    parser.add_argument('--runs', type=Path, default=Path('runs/beside'), metavar='DIR',
                        help='folder of runs (default: %(default)s)')
    parser.add_argument('--models', nargs='+', choices=MODELS[1:], default=MODELS[1:],
                        help='what to compare with U-Net (default: all)')
    parser.add_argument('--seeds', type=int, default=20, help='drives of Street')
    parser.add_argument('--frames', type=int, default=20, help='frames of each drive')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    options = parser.parse_args(arguments)
    try:
        common = read_settings(options.config, [*options.set, f'data={options.data}'])
        # A folder's name is no YAML.
        common = dataclasses.replace(common, root=options.root or common.root)
        check(common)
        paths = {model: trained(dataclasses.replace(
            common, name=f'{common.name}_{options.data}_{model}', model=model), options.runs)
            for model in dict.fromkeys((MODELS[0], *options.models))}
        sequences = (
            camvid_sequences(common.root, common.val_split) if options.data == 'camvid' else
            street_sequences(options.seeds, options.frames, common.size, 20.0))
        seen = DataHash()
        results = measure(paths, [list(drive) for drive in sequences], seen)
    except ValueError as error:
        print(f'beside: {error}', file=sys.stderr)
        return 1
    print(table(results))
    if options.json:
        write_json(options.json, {
            **provenance('mfs_seg_core.beside', arguments, seen), 'data': options.data,
            'input_size': common.size, 'batch_size': common.batch_size,
            'cost_frames': COST_FRAMES, 'threads': 1, 'mac_pj': MAC_PJ, 'ac_pj': AC_PJ,
            'models': results})
    return 0


if __name__ == '__main__':
    sys.exit(main())
