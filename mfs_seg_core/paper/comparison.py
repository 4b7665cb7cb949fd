# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Train U-Net and MFS-Seg with the same settings, and compare their quality and cost.

``mfs-seg compare --data camvid --root DIR --json docs/results/beside_camvid.json``
``mfs-seg compare --data street --json docs/results/beside_street.json``

One file of settings trains all networks on stills, from random weights. Finished runs are reused,
and stopped runs continue. Each image is segmented from rest ('paper' takes its five steps), because
networks that were trained on stills make no use of a state. CamVid is measured on the split that
also selected the best epoch of each run, Street on drives that are in no training set.
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

from mfs_seg_core.analysis.profile import profile
from mfs_seg_core.data.sequences import LabelledFrame, camvid_sequences, street_sequences
from mfs_seg_core.evaluate.modes import evaluate
from mfs_seg_core.model.network import fold_norms
from mfs_seg_core.model.operations import parameters
from mfs_seg_core.streaming.segmenter import Segmenter, set_threads
from mfs_seg_core.train import train
from mfs_seg_core.train.checkpoints import length
from mfs_seg_core.train.settings import Settings, check, read_settings
from mfs_seg_core.util.energy import AC_PJ, MAC_PJ
from mfs_seg_core.util.files import write_json
from mfs_seg_core.util.provenance import DataHash, provenance
from mfs_seg_core.util.table import cell, text_table
from mfs_seg_core.weights.file import load_weights

# The others are compared with the first.
MODELS = ('unet', 'paper', 'fast')
# Operations and time are measured on a few frames: 'paper' takes seconds per frame on a CPU.
COST_FRAMES = 5


def trained(settings: Settings, runs: Path) -> Path:
    """
    Train a network, unless its weights file exists.

    :param settings: settings of the run.
    :param runs: folder of all runs.
    :returns: the weights file.
    :raises ValueError: the settings or the data cannot be used.
    """
    path = runs / settings.name / f'{settings.name}.safetensors'
    if not path.is_file():
        print(f'Training {settings.name} for {settings.epochs} epochs', flush=True)
        train(settings, runs)
    return path


def measure(paths: dict[str, Path], drives: list[list[LabelledFrame]], data_hash: DataHash
            ) -> dict[str, dict]:
    """
    Measure quality and cost of weights on the same frames.

    :param paths: weights files by name, U-Net's first.
    :param drives: frames by sequence.
    :param data_hash: hash to add frames and truth to.
    :returns: by name ``epochs`` and ``steps`` of the training; ``parameters``; the figures of
        :func:`~mfs_seg_core.evaluate.modes.evaluate` for reset@1; ``macs``, ``acs``,
        ``firing_rate``, ``energy_mj`` and ``latency_ms`` of a frame; and, compared with U-Net,
        ``miou_difference``, ``ratio_parameters``, ``ratio_energy`` and ``ratio_latency``.
    :raises ValueError: weights cannot be used, training lengths differ, or there is no frame.
    """
    budgets = {name: length(path.parent) for name, path in paths.items()}
    if len(set(budgets.values())) > 1:
        lengths = ', '.join(f'{name} {epochs} and {steps}'
                            for name, (epochs, steps) in budgets.items())
        raise ValueError(f'epochs and steps of the runs differ ({lengths}): remove those to train '
                         'again, or give an empty folder as --runs')
    results, segmenters = {}, {}
    frames = _spread([frame[0] for frame in chain.from_iterable(drives)])
    for name, path in paths.items():
        network, metadata = load_weights(path)
        size = parameters(network)
        segmenter = segmenters[name] = Segmenter(fold_norms(network), metadata, backend='torch')
        print(f'Measuring {metadata.name}', flush=True)
        quality = evaluate(segmenter, drives, ('reset',),
                           data_hash=None if results else data_hash)['reset@1']
        cost = profile(segmenter, [[(frame, None, None) for frame in frames]], 1, MAC_PJ, AC_PJ,
                       DataHash())['repeat@1']
        # The firing rate is that of the counted layers' inputs, not of the neurons.
        results[name] = {'epochs': budgets[name][0], 'steps': budgets[name][1],
                         'parameters': size, **quality, **{
                             key: cost[key] for key in ('macs', 'acs', 'firing_rate', 'energy_mj')}}
    for name, latency_ms in latencies(segmenters, frames).items():
        results[name]['latency_ms'] = latency_ms
    unet, *others = results.values()
    for ours in others:
        ours['miou_difference'] = ours['miou'] - unet['miou']
        for ratio, key in (('parameters', 'parameters'), ('energy', 'energy_mj'),
                           ('latency', 'latency_ms')):
            ours[f'ratio_{ratio}'] = unet[key] / ours[key]
    return results


def _spread(frames: list[np.ndarray]) -> list[np.ndarray]:
    """Return a few of the frames, evenly spaced from the first to the last."""
    places = np.linspace(0, len(frames) - 1, min(len(frames), COST_FRAMES))
    return [frames[int(place)] for place in places]


def latencies(segmenters: dict[str, Segmenter], frames: list[np.ndarray]) -> dict[str, float]:
    """
    Measure the median time of a frame on one thread; the networks take turns.

    U-Net's norms are not folded into its convolutions; they take 2 % of its time.

    :param segmenters: streams by name.
    :param frames: uint8 ``[H, W, 3]``, RGB.
    :returns: time in ms by name.
    """
    set_threads(1)
    times = {name: [] for name in segmenters}
    # The first frame is measured twice: the first time allocates memory, and is discarded.
    for frame in [frames[0], *frames]:
        for name, segmenter in segmenters.items():
            segmenter.reset()
            start = time.perf_counter()
            segmenter.step(frame)
            times[name].append(time.perf_counter() - start)
    return {name: 1e3 * median(seconds[1:]) for name, seconds in times.items()}


def table(results: dict[str, dict]) -> str:
    """Lay out the results as text, with a column for each network."""
    return text_table([['', *results], *(
        [title, *(cell(result.get(key), form, scale) for result in results.values())]
        for title, key, scale, form in (
            ('mIoU (global)', 'miou', 1, '.4f'), ('per-image score', 'per_image_score', 1, '.4f'),
            ('pixel accuracy', 'pixel_accuracy', 1, '.4f'), ('parameters', 'parameters', 1, ',d'),
            ('MACs, 10^6', 'macs', 1e-6, '.1f'), ('ACs, 10^6', 'acs', 1e-6, '.1f'),
            ('firing rate', 'firing_rate', 1, '.3f'), ('energy, mJ', 'energy_mj', 1, '.3f'),
            ('latency, ms', 'latency_ms', 1, '.1f'), ('epochs', 'epochs', 1, 'd'),
            ('steps', 'steps', 1, 'd'), ('U-Net / parameters', 'ratio_parameters', 1, '.1f'),
            ('U-Net / energy', 'ratio_energy', 1, '.1f'),
            ('U-Net / latency', 'ratio_latency', 1, '.1f')))])


def main(arguments: list[str] | None = None) -> int:
    """Run ``mfs-seg compare``; return the exit code."""
    parser = argparse.ArgumentParser(prog='mfs-seg compare', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', required=True, choices=('camvid', 'street'))
    parser.add_argument('--root', default='', help='folder of CamVid')
    parser.add_argument('--config', default='config/train/beside.yaml',
                        help='settings of all runs (default: %(default)s)')
    parser.add_argument('--set', nargs='*', default=[], metavar='KEY=VALUE',
                        help='override settings of the file, for all runs')
    parser.add_argument('--runs', type=Path, default=Path('runs/beside'), metavar='DIR',
                        help='folder of runs (default: %(default)s)')
    parser.add_argument('--models', nargs='+', choices=MODELS[1:], default=MODELS[1:],
                        help='networks to compare with U-Net (default: all)')
    parser.add_argument('--seeds', type=int, default=20,
                        help='drives of Street (default: %(default)s)')
    parser.add_argument('--frames', type=int, default=20,
                        help='frames of each drive of Street (default: %(default)s)')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    options = parser.parse_args(arguments)
    try:
        common = read_settings(options.config, [*options.set, f'data={options.data}'])
        # Not read as YAML, in which a folder's name may mean something else.
        common = dataclasses.replace(common, root=options.root or common.root)
        check(common)
        paths = {model: trained(dataclasses.replace(
            common, name=f'{common.name}_{options.data}_{model}', model=model), options.runs)
            for model in dict.fromkeys((MODELS[0], *options.models))}
        sequences = (
            camvid_sequences(common.root, common.val_split) if options.data == 'camvid' else
            street_sequences(options.seeds, options.frames, common.size, 20.0))
        data_hash = DataHash()
        results = measure(paths, [list(drive) for drive in sequences], data_hash)
    except ValueError as error:
        print(f'compare: {error}', file=sys.stderr)
        return 1
    print(table(results))
    if options.json:
        write_json(options.json, {
            **provenance('compare', arguments, data_hash), 'data': options.data,
            'input_size': common.size, 'batch_size': common.batch_size,
            'cost_frames': COST_FRAMES, 'threads': 1, 'mac_pj': MAC_PJ, 'ac_pj': AC_PJ,
            'models': results})
    return 0


if __name__ == '__main__':
    sys.exit(main())
