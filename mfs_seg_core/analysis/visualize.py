# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Plot the spikes of a network, layer by layer.

``mfs-seg visualize --weights street --input street --output out/street``
``mfs-seg visualize --weights camvid --input drive.mp4 --output out/drive``

The input is an image, a folder of images, a video, a bag, or 'street'. Its frames are a stream.
The plots show the last frame: its mask, an overlay, the spikes that go into each layer, the firing
rates, and the share of spikes at edges (near borders between classes of the mask).
"""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from pathlib import Path

import numpy as np

from mfs_seg_core.analysis.spike_maps import SpikeMap, SpikeRecorder, edges_of
from mfs_seg_core.data.street.seeds import TEST_SEED
from mfs_seg_core.labels import colourise, overlay
from mfs_seg_core.sources.open_source import open_source
from mfs_seg_core.sources.street import STREET
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.util.charts import bars, pyplot, save
from mfs_seg_core.util.files import write_json
from mfs_seg_core.util.provenance import DataHash, provenance

COLUMNS = 6


def draw(output: Path, frame: np.ndarray, segmenter: Segmenter, mask: np.ndarray,
         maps: list[SpikeMap]) -> None:
    """
    Write ``mask.png``, ``overlay.png``, ``spikes.png`` and ``rates.png``.

    :param output: folder to write to.
    :param frame: uint8 ``[H, W, 3]``, RGB.
    :param segmenter: the stream that segmented the frame.
    :param mask: uint8 ``[H, W]``, class ids.
    :param maps: spikes of each layer.
    :raises ValueError: matplotlib is not installed.
    """
    plt = pyplot()
    coloured = colourise(mask, segmenter.classes)
    overlaid = overlay(frame, mask, segmenter.classes)
    for name, image in (('mask', coloured), ('overlay', overlaid)):
        plt.imsave(output / f'{name}.png', image)

    shown = [('frame', frame), ('mask', coloured), ('overlay', overlaid)]
    rows = -(-(len(shown) + len(maps)) // COLUMNS)
    height = frame.shape[0] / frame.shape[1] * 2.4 + 0.3
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(2.4 * COLUMNS, height * rows),
                                layout='constrained')
    for ax in axes.flat:
        ax.axis('off')
    for ax, (name, image) in zip(axes.flat, shown):
        ax.imshow(image)
        ax.set_title(name, fontsize=8)
    for ax, each in zip(axes.flat[len(shown):], maps):
        ax.imshow(each.spikes, cmap='magma', vmin=0)
        ax.set_title(f'{each.name}  {each.rate:.2f}', fontsize=6)
    save(figure, output / 'spikes.png')

    edges = edges_of(mask)
    figure, (_, right) = bars([each.name for each in maps], [
        ('firing rate, mean spikes of a neuron in a step', [each.rate for each in maps], '#31688e'),
        ('share of spikes at edges', [each.at_edges(edges)[0] for each in maps], '#35b779')])
    right.axvline(float(edges.mean()), color='#444444', linewidth=1,
                  label='share of pixels at edges')
    right.legend(fontsize=7, loc='lower right')
    save(figure, output / 'rates.png')


def main(arguments: list[str] | None = None) -> int:
    """Run ``mfs-seg visualize``; return the exit code."""
    parser = argparse.ArgumentParser(prog='mfs-seg visualize', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--weights', required=True, help='name or path')
    parser.add_argument('--input', required=True, metavar='PATH',
                        help="image, folder of images, video, bag, or 'street'")
    parser.add_argument('--output', type=Path, required=True, metavar='DIR',
                        help='folder to write to')
    parser.add_argument('--frames', type=int, default=20,
                        help='frames of the input, at most (default: %(default)s)')
    options = parser.parse_args(arguments)
    try:
        if options.frames < 1:
            raise ValueError(f'--frames is {options.frames}: give 1 or more')
        segmenter = Segmenter.from_weights(options.weights, backend='torch')
        width, height = segmenter.input_size if options.input == STREET else (0, 0)
        source = open_source(options.input, seed=TEST_SEED, width=width, height=height)
        data_hash = DataHash()
        for frame in islice((item.image for item in source), options.frames):
            data_hash.add(frame)
            with SpikeRecorder(segmenter.network) as recorder:
                mask = segmenter.step(frame).mask
        maps = recorder.maps()
        options.output.mkdir(parents=True, exist_ok=True)
        draw(options.output, frame, segmenter, mask, maps)
        for sentence in source.report.sentences():
            print(f'visualize: {sentence}', file=sys.stderr)
    except (ValueError, OSError) as error:
        print(f'visualize: {error}', file=sys.stderr)
        return 1
    edges = edges_of(mask)
    layers = {each.name: {
        'rate': each.rate, 'at_edges': each.at_edges(edges)[0],
        'silent_channels': float((each.by_channel == 0).mean())} for each in maps}
    write_json(options.output / 'layers.json', {
        **provenance('visualize', arguments, data_hash), 'weights': segmenter.name,
        'input': options.input, 'pixels_at_edges': float(edges.mean()), 'layers': layers})
    print(f'In {options.output}: mask.png, overlay.png, spikes.png, rates.png, layers.json')
    return 0


if __name__ == '__main__':
    sys.exit(main())
