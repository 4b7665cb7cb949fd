# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Measure parameters, operations, firing rates and energy of a network, and compare with U-Net.

``mfs-seg profile --weights street --against unet --data street``
``mfs-seg profile --weights camvid --against unet --data camvid --root DIR``

The cost of an image depends on the image, through the firing rates. Two modes are measured: a
stream, one step for each frame with the state kept, as in the node; and N steps of each frame from
rest, the usual evaluation of a spiking network. With --events, streams of an event camera and of
both sensors are measured too. See :mod:`mfs_seg_core.model.operations` for the model of energy.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from mfs_seg_core.data.sequences import camvid_sequences, street_sequences
from mfs_seg_core.data.street.seeds import TEST_SEED
from mfs_seg_core.evaluate import robustness
from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.operations import OperationCounter, parameters
from mfs_seg_core.model.unet import UNet
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.util.charts import bars, save
from mfs_seg_core.util.energy import AC_PJ, MAC_PJ
from mfs_seg_core.util.files import write_json
from mfs_seg_core.util.provenance import DataHash, provenance
from mfs_seg_core.util.table import cell, text_table
from mfs_seg_core.weights.file import build, load_weights
from mfs_seg_core.weights.metadata import Metadata

# Width and height of the input of a network without weights.
SIZE = (240, 180)
STREET_HZ = 20.0
# Frames of a drive of Street.
DRIVE_FRAMES = 20

# A frame, the events since the one before (None: no event camera), and the seconds since the one
# before (None: unknown).
Inputs = tuple[np.ndarray, 'EventWindow | None', 'float | None']


class _CostMeasurement:
    """One mode: its stream and its operations so far."""

    def __init__(self, modality: str, steps: int, keep_state: bool, segmenter: Segmenter):
        self.modality, self.steps, self.keep_state = modality, steps, keep_state
        self.segmenter = segmenter.sibling()
        self.counter = OperationCounter(segmenter.network)

    def add(self, image: np.ndarray, events: EventWindow | None, step_s: float | None) -> None:
        """Count the operations for a frame."""
        if not self.keep_state:
            self.segmenter.reset()
        with self.counter:
            for _ in range(self.steps):
                self.segmenter.step(None if self.modality == 'events' else image,
                                    step_s if self.keep_state else None,
                                    events=None if self.modality == 'camera' else events)


def profile(segmenter: Segmenter, sequences: Iterable[Iterable[Inputs]], steps: int,
            mac_pj: float, ac_pj: float, data_hash: DataHash, events: bool = False
            ) -> dict[str, dict]:
    """
    Measure the mean cost of a frame.

    :param segmenter: the network; the stream itself does not step.
    :param sequences: inputs by sequence; each sequence starts from rest.
    :param steps: N of repeat@N; weights with several steps for an image take N times as many.
    :param mac_pj: energy of a MAC in pJ.
    :param ac_pj: energy of an AC in pJ.
    :param data_hash: hash to add frames and event times to.
    :param events: measure streams of events, and of both sensors, too.
    :returns: for 'stream@1' and 'repeat@N' of the camera, and for 'stream@1, events' and
        'stream@1, fusion': ``macs``, ``acs`` (the synaptic operations), ``firing_rate`` (mean
        spikes of an input of a spiking layer), ``energy_mj`` and ``layers``: for each layer
        ``operations``, ``rate`` (None: real-valued inputs) and ``energy_mj``.
    :raises ValueError: there is no frame.
    """
    modes = {'stream@1': _CostMeasurement('camera', 1, True, segmenter),
             f'repeat@{steps}': _CostMeasurement('camera', steps, False, segmenter)}
    if events:
        modes |= {f'stream@1, {modality}': _CostMeasurement(modality, 1, True, segmenter)
                  for modality in ('events', 'fusion')}
    frames = 0
    for sequence in sequences:
        for mode in modes.values():
            mode.segmenter.reset()
        for image, window, step_s in sequence:
            frames += 1
            data_hash.add(image)
            if events:
                data_hash.add(window.events.t)
            for mode in modes.values():
                mode.add(image, window, step_s)
    if not frames:
        raise ValueError('there is no frame to measure on: ask for at least one')
    return {name: _figures(mode.counter, frames, mac_pj, ac_pj) for name, mode in modes.items()}


def _figures(counter: OperationCounter, frames: int, mac_pj: float, ac_pj: float) -> dict:
    layers = counter.layers.values()
    inputs = sum(layer.inputs for layer in layers if layer.spiking)
    spikes = sum(layer.spikes for layer in layers if layer.spiking)
    return {
        'frames': frames,
        'macs': counter.macs / frames,
        'acs': counter.acs / frames,
        'firing_rate': spikes / inputs if inputs else None,
        'energy_mj': counter.energy_mj(mac_pj, ac_pj) / frames,
        'layers': {layer.name: {'operations': layer.operations / frames, 'rate': layer.rate,
                                'energy_mj': layer.energy_pj(mac_pj, ac_pj) * 1e-9 / frames}
                   for layer in layers},
    }


@torch.no_grad()
def unet_figures(classes: int, size: tuple[int, int], mac_pj: float = MAC_PJ) -> dict:
    """
    Measure the cost of U-Net with 31 M parameters, which is the same for each image.

    :param classes: number of classes.
    :param size: width and height of the input.
    :param mac_pj: energy of a MAC in pJ.
    :returns: ``parameters``, ``macs`` and ``energy_mj``.
    """
    network = UNet(UNetConfig(classes)).eval()
    with OperationCounter(network) as counter:
        network(torch.rand(1, 1, 3, size[1], size[0]) + 0.5)
    return {'parameters': parameters(network), 'macs': counter.macs,
            'energy_mj': counter.energy_mj(mac_pj)}


def state_bytes(segmenter: Segmenter) -> int:
    """Return the size of one stream's state in bytes."""
    state = segmenter.network.init_state(1, *segmenter.input_size[::-1])
    return sum(potential.numel() * potential.element_size() for potential in state.values())


def table(result: dict) -> str:
    """Lay out the result as text, with a column for each mode, and a sentence on the ratios."""
    modes = [name for name in result if '@' in name]
    unet = result.get('unet')
    columns = [*(result[mode] for mode in modes), *([unet] if unet else [])]
    # Parameters, weights and state are the same in all modes: only the first one shows them.
    blank = [''] * (len(modes) - 1)
    rows = [
        ['', *modes, *(['U-Net'] if unet else [])],
        *([title, *(cell(column.get(key), form, scale) for column in columns)]
          for title, key, scale, form in (
              ('MACs, 10^6', 'macs', 1e-6, '.2f'), ('ACs, 10^6', 'acs', 1e-6, '.2f'),
              ('firing rate', 'firing_rate', 1, '.3f'), ('energy, mJ', 'energy_mj', 1, '.3f'))),
        ['parameters', f'{result["parameters"]:,}', *blank,
         *([f'{unet["parameters"]:,}'] if unet else [])],
        ['weights, MB', f'{result["weight_bytes"] / 1e6:.2f}'],
        ['state, MB', f'{result["state_bytes"] / 1e6:.2f}'],
    ]
    text = text_table(rows)
    if unet:
        text += (f'\nU-Net has {result["ratio_parameters"]:.1f} times the parameters, and takes '
                 f'{result["ratio_energy"]:.1f} times the energy of a stream.')
    return text


def draw(path: Path, result: dict) -> None:
    """
    Plot energy and firing rate of each layer of a stream.

    :param path: file of the plot.
    :param result: result of the verb.
    :raises ValueError: matplotlib is not installed.
    """
    layers = result['stream@1']['layers']
    figure, _ = bars([name.removesuffix('.conv') for name in layers], [
        ('energy per frame, uJ', [1e3 * layer['energy_mj'] for layer in layers.values()],
         '#440154'),
        ('mean spikes of an input; none: real numbers',
         [layer['rate'] or 0.0 for layer in layers.values()], '#31688e')])
    save(figure, path)


def main(arguments: list[str] | None = None) -> int:
    """Run ``mfs-seg profile``; return the exit code."""
    parser = argparse.ArgumentParser(prog='mfs-seg profile', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument('--weights', help='name or path')
    which.add_argument('--config', help="'fast' or 'paper', with random weights, whose firing "
                                        'rates are not those of trained ones')
    parser.add_argument('--against', choices=('unet',), help='network to compare with')
    parser.add_argument('--data', required=True, choices=('camvid', 'street'))
    parser.add_argument('--root', help='folder of CamVid')
    parser.add_argument('--split', default='val', help="list of CamVid (default: '%(default)s')")
    parser.add_argument('--frames', type=int, default=100,
                        help='frames to measure (default: %(default)s)')
    parser.add_argument('--steps', type=int, default=4, help='N of repeat@N (default: %(default)s)')
    parser.add_argument('--size', type=int, nargs=2, metavar=('WIDTH', 'HEIGHT'),
                        help='input size of the network (default: as trained)')
    parser.add_argument('--events', action='store_true',
                        help='measure streams of events and of both sensors too (Street)')
    parser.add_argument('--mac-pj', type=float, default=MAC_PJ,
                        help='energy of a MAC in pJ (default: %(default)s)')
    parser.add_argument('--ac-pj', type=float, default=AC_PJ,
                        help='energy of an AC in pJ (default: %(default)s)')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    parser.add_argument('--picture', type=Path, help='file to plot the energy of each layer to')
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


def _measured(options: argparse.Namespace, arguments: list[str] | None) -> dict:
    if options.weights:
        network, metadata = load_weights(options.weights)
    else:
        config = named_config(options.config, len(CAMVID))
        metadata = Metadata(options.config, config, CAMVID, SIZE, (0.5,) * 3, (0.5,) * 3,
                            1 / STREET_HZ)
        network = build(config)
    if min(options.frames, options.steps) < 1 or min(options.mac_pj, options.ac_pj) <= 0:
        raise ValueError('--frames and --steps take 1 or more, energies more than 0 pJ')
    # Norms are not folded: only convolutions are counted, and the parameters include the norms.
    segmenter = Segmenter(network, metadata, 'cpu', options.size, 'torch')
    data_hash = DataHash()
    modes = profile(segmenter, _sequences(options, segmenter), options.steps, options.mac_pj,
                    options.ac_pj, data_hash, options.events)
    weight_bytes = sum(p.numel() * p.element_size() for p in network.parameters())
    result = {**provenance('profile', arguments, data_hash),
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


def _sequences(options: argparse.Namespace, segmenter: Segmenter) -> Iterable[Iterable[Inputs]]:
    """Open the data set that the options name."""
    if options.events and (options.data != 'street' or 'events' not in segmenter.sensors):
        raise ValueError('--events needs --data street, and weights for camera and events: '
                         'leave it out')
    if options.data == 'street':
        seeds, frames = -(-options.frames // DRIVE_FRAMES), min(DRIVE_FRAMES, options.frames)
        if options.events:
            drives = (robustness.drive(seed, 'day', frames, segmenter.input_size, STREET_HZ)
                      for seed in range(TEST_SEED, TEST_SEED + seeds))
            return (((step.image, step.events, 1 / STREET_HZ) for step in drive)
                    for drive in drives)
        sequences = street_sequences(seeds, frames, segmenter.input_size, STREET_HZ)
    elif options.root:
        sequences = (islice(drive, options.frames)
                     for drive in camvid_sequences(options.root, options.split))
    else:
        raise ValueError('CamVid needs its folder: add --root DIR')
    return (((image, None, step_s) for image, _, step_s in sequence) for sequence in sequences)


if __name__ == '__main__':
    sys.exit(main())
