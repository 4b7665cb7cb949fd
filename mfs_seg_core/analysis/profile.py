# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Measure parameters, operations, firing rates and energy of a network, beside U-Net's.

``python -m mfs_seg_core.profile --weights street --against unet --data street``
``python -m mfs_seg_core.profile --weights camvid --against unet --data camvid --root DIR``

What an image costs depends on the images: on how often neurons fire. Two ways to run are counted:
a stream, one step a frame with the state kept, as the node runs; and N steps of each frame from
rest, the usual evaluation of a spiking network. With --events, streams of an event camera and of
both are counted too. See :mod:`mfs_seg_core.analysis.energy` for the model.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from mfs_seg_core.analysis.energy import AC_PJ, MAC_PJ, Count, parameters
from mfs_seg_core.data.sequences import camvid_sequences, street_sequences
from mfs_seg_core.data.street.seeds import TEST_SEED
from mfs_seg_core.evaluate import robustness
from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.unet import UNet, UNetConfig
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.util.charts import bars, save
from mfs_seg_core.util.files import write_json
from mfs_seg_core.util.provenance import DataHash, provenance
from mfs_seg_core.weights.file import Metadata, build, load_weights

# Of networks that no weights tell it of.
SIZE = (240, 180)
STREET_HZ = 20.0

# A frame, the events before it, and the seconds since the one before: None where not known.
Step = tuple[np.ndarray, 'EventWindow | None', 'float | None']


class _Run:
    """One way to run, and what it took so far."""

    def __init__(self, sense: str, times: int, kept: bool, like: Segmenter):
        self.sense, self.times, self.kept = sense, times, kept
        self.segmenter = like.sibling()
        self.count = Count(like.network)

    def see(self, image: np.ndarray, events: EventWindow | None, step_s: float | None) -> None:
        if not self.kept:
            self.segmenter.reset()
        with self.count:
            for _ in range(self.times):
                self.segmenter.step(None if self.sense == 'events' else image,
                                    step_s if self.kept else None,
                                    events=None if self.sense == 'camera' else events)


def profile(segmenter: Segmenter, sequences: Iterable[Iterable[Step]], steps: int,
            mac_pj: float, ac_pj: float, seen: DataHash, events: bool = False) -> dict[str, dict]:
    """
    Count what frames cost, in means of a frame.

    :param steps: N of repeat@N; weights that take several steps for an image take so many times N.
    :param seen: takes in the frames, and the events' times.
    :param events: count streams of events, and of both, too.
    :returns: for 'stream@1' and 'repeat@N' of the camera, and for 'stream@1, events' and
        'stream@1, both': ``macs``, ``acs`` (which are the synaptic operations), ``firing_rate``
        (mean spikes of an input of a spiking layer), ``energy_mj`` and ``layers``: for each layer
        ``operations``, ``rate`` (None: real-valued inputs) and ``energy_mj``.
    :raises ValueError: there is no frame.
    """
    runs = {'stream@1': _Run('camera', 1, True, segmenter),
            f'repeat@{steps}': _Run('camera', steps, False, segmenter)}
    if events:
        runs |= {f'stream@1, {sense}': _Run(sense, 1, True, segmenter)
                 for sense in ('events', 'fusion')}
    frames = 0
    for sequence in sequences:
        for run in runs.values():
            run.segmenter.reset()
        for step in sequence:
            frames += 1
            seen.add(step[0])
            if events:
                seen.add(step[1].events.t)
            for run in runs.values():
                run.see(*step)
    if not frames:
        raise ValueError('there is no frame to measure on: ask for at least one')
    return {name: _figures(run.count, frames, mac_pj, ac_pj) for name, run in runs.items()}


def _figures(count: Count, frames: int, mac_pj: float, ac_pj: float) -> dict:
    layers = count.layers.values()
    inputs = sum(layer.inputs for layer in layers if layer.spiking)
    spikes = sum(layer.spikes for layer in layers if layer.spiking)
    return {
        'frames': frames,
        'macs': count.macs / frames,
        'acs': count.acs / frames,
        'firing_rate': spikes / inputs if inputs else None,
        'energy_mj': count.energy_mj(mac_pj, ac_pj) / frames,
        'layers': {layer.name: {'operations': layer.operations / frames, 'rate': layer.rate,
                                'energy_mj': layer.energy_pj(mac_pj, ac_pj) * 1e-9 / frames}
                   for layer in layers},
    }


@torch.no_grad()
def unet_figures(classes: int, size: tuple[int, int], mac_pj: float = MAC_PJ) -> dict:
    """Count U-Net of 31 M parameters on one image; what it costs does not depend on the image."""
    network = UNet(UNetConfig(classes)).eval()
    with Count(network) as count:
        network(torch.rand(1, 1, 3, size[1], size[0]) + 0.5)
    return {'parameters': parameters(network), 'macs': count.macs,
            'energy_mj': count.energy_mj(mac_pj)}


def state_bytes(segmenter: Segmenter) -> int:
    """Give the memory of the state of one stream."""
    state = segmenter.network.init_state(1, *segmenter.input_size[::-1])
    return sum(potential.numel() * potential.element_size() for potential in state.values())


def table(result: dict) -> str:
    """Lay out the result for people."""
    modes = [name for name in result if '@' in name]
    rows = [(f'{"":<22}' + ''.join(f'{name:>18}' for name in modes + ['U-Net'][:'unet' in result]))]

    def row(title: str, key: str, scale: float, form: str) -> None:
        cells = [result[name][key] for name in modes]
        if 'unet' in result:
            cells.append(result['unet'].get(key))
        rows.append(f'{title:<22}' + ''.join(
            f'{"-" if cell is None else format(cell / scale, form):>18}' for cell in cells))
    row('MACs, 10^6', 'macs', 1e6, '.2f')
    row('ACs, 10^6', 'acs', 1e6, '.2f')
    row('firing rate', 'firing_rate', 1, '.3f')
    row('energy, mJ', 'energy_mj', 1, '.3f')
    rows.append(f'{"parameters":<22}{result["parameters"]:>18,}' + (
        f'{result["unet"]["parameters"]:>{18 * len(modes)},}' if 'unet' in result else ''))
    rows.append(f'{"weights, state, MB":<22}{result["weight_bytes"] / 1e6:>9.2f}'
                f'{result["state_bytes"] / 1e6:>9.2f}')
    if 'unet' in result:
        rows.append(f'U-Net has {result["ratio_parameters"]:.1f} times the parameters, and takes '
                    f'{result["ratio_energy"]:.1f} times the energy of a stream.')
    return '\n'.join(rows)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog='python -m mfs_seg_core.profile', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument('--weights', help='name or path')
    which.add_argument('--config', help="'fast' or 'paper', with random weights: its firing rate "
                                        'tells little')
    parser.add_argument('--against', choices=('unet',), help='count this too')
    parser.add_argument('--data', required=True, choices=('camvid', 'street'))
    parser.add_argument('--root', help='folder of CamVid')
    parser.add_argument('--split', default='val', help="list of CamVid (default: '%(default)s')")
    parser.add_argument('--frames', type=int, default=100, help='(default: %(default)s)')
    parser.add_argument('--steps', type=int, default=4, help='N of repeat@N (default: %(default)s)')
    parser.add_argument('--size', type=int, nargs=2, metavar=('WIDTH', 'HEIGHT'),
                        help='size that frames are resized to (default: as trained)')
    parser.add_argument('--events', action='store_true',
                        help='of Street: count streams of events, and of both, too')
    parser.add_argument('--mac-pj', type=float, default=MAC_PJ,
                        help='energy of a MAC (default: %(default)s)')
    parser.add_argument('--ac-pj', type=float, default=AC_PJ,
                        help='energy of an AC (default: %(default)s)')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    parser.add_argument('--picture', type=Path, help='file to draw the energy by layer to')
    options = parser.parse_args(arguments)
    try:
        result = _measured(options, arguments)
        if options.picture:
            draw(options.picture, result)
    except ValueError as error:
        print(f'profile: {error}', file=sys.stderr)
        return 1
    print(table(result))
    if options.json:
        write_json(options.json, result)
    return 0


def draw(path: Path, result: dict) -> None:
    """
    Draw energy and firing rate of each layer of a stream.

    :raises ValueError: matplotlib is not installed.
    """
    layers = result['stream@1']['layers']
    figure, _ = bars(
        [name.removesuffix('.conv') for name in layers],
        ('energy a frame, uJ', [1e3 * layer['energy_mj'] for layer in layers.values()], '#440154'),
        ('mean spikes of an input; none: real numbers',
         [layer['rate'] or 0.0 for layer in layers.values()], '#31688e'))
    save(figure, path)


def _sequences(options: argparse.Namespace, segmenter: Segmenter) -> Iterable[Iterable[Step]]:
    """Give the frames that the options ask for, with the events before each if they do."""
    if options.events and (options.data != 'street' or 'events' not in segmenter.sensors):
        raise ValueError('--events needs --data street, and weights that see camera and events: '
                         'leave it out')
    if options.data == 'street':
        seeds, frames = -(-options.frames // 20), min(20, options.frames)
        if options.events:
            return (((moment.image, moment.events, 1 / STREET_HZ) for moment in robustness.drive(
                seed, 'day', frames, segmenter.input_size, STREET_HZ))
                for seed in range(TEST_SEED, TEST_SEED + seeds))
        sequences = street_sequences(seeds, frames, segmenter.input_size, STREET_HZ)
    elif options.root:
        sequences = (islice(drive, options.frames)
                     for drive in camvid_sequences(options.root, options.split))
    else:
        raise ValueError('CamVid needs its folder: add --root DIR')
    return (((image, None, step_s) for image, _, step_s in sequence) for sequence in sequences)


def _measured(options: argparse.Namespace, arguments: list[str] | None) -> dict:
    if options.weights:
        network, metadata = load_weights(options.weights)
    else:
        config = named_config(options.config, len(CAMVID))
        metadata = Metadata(options.config, config, CAMVID, SIZE, (0.5,) * 3, (0.5,) * 3,
                                  0.05)
        network = build(config)
    if min(options.frames, options.steps) < 1 or min(options.mac_pj, options.ac_pj) <= 0:
        raise ValueError('--frames and --steps take 1 or more, energies more than 0 pJ')
    # As a chip would have it: norms, which fold into convolutions, are not counted.
    segmenter = Segmenter(network, metadata, 'cpu', options.size)
    seen = DataHash()
    modes = profile(segmenter, _sequences(options, segmenter), options.steps, options.mac_pj,
                    options.ac_pj, seen, options.events)
    weight_bytes = sum(p.numel() * p.element_size() for p in network.parameters())
    result = {**provenance('mfs_seg_core.profile', arguments, seen),
              'name': metadata.name, 'data': options.data, 'input_size': segmenter.input_size,
              'mac_pj': options.mac_pj, 'ac_pj': options.ac_pj,
              'parameters': parameters(network), 'weight_bytes': weight_bytes,
              'state_bytes': state_bytes(segmenter)}
    result |= {key: modes['stream@1'][key] for key in ('macs', 'acs', 'firing_rate', 'energy_mj')}
    if options.against:
        unet = unet_figures(len(metadata.classes), segmenter.input_size, options.mac_pj)
        result |= {'unet': unet,
                   'ratio_parameters': unet['parameters'] / result['parameters'],
                   'ratio_energy': unet['energy_mj'] / result['energy_mj']}
    return result | modes


if __name__ == '__main__':
    sys.exit(main())
