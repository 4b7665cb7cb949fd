# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that pass through the encodings of cameras: their pixels, and the masks on them."""

import json

import numpy as np
import pytest
from support.untrained import metadata_of, untrained

from mfs_seg_core.data.sequences import street_sequences
from mfs_seg_core.data.street import Street
from mfs_seg_core.evaluate.__main__ import main
from mfs_seg_core.evaluate.encodings import ENCODINGS, chosen, grey, measure
from mfs_seg_core.images import ImageStream
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.util.provenance import DataHash

# Mean error in grey levels: of what is lost, not of how it is read.
TOLERANCES = {'bayer8_jpeg': 8, 'bayer8': 4, 'bayer8_png': 4, 'bayer16_12bit': 4, 'rgb8_jpeg': 5,
              'nv12': 2}


@pytest.mark.parametrize('name', ENCODINGS)
def test_frames_keep_their_pixels(name):
    rgb = Street(7, 240, 180).frame(1.0).image
    received = ImageStream().rgb(ENCODINGS[name](rgb))
    expected = np.dstack([grey(rgb)] * 3) if name.startswith('mono') else rgb
    assert np.abs(received.astype(int) - expected).mean() <= TOLERANCES.get(name, 0.5)


def test_bits_of_samples():
    rgb = np.full((2, 2, 3), 255, np.uint8)
    for name, largest in (('mono16_12bit', 4095), ('mono16_left', 4095 << 4)):
        assert np.frombuffer(ENCODINGS[name](rgb).data, '<u2').max() == largest


def test_masks_are_as_good_in_each_encoding():
    """Of the weights in the package; docs/node.md has the figures on CamVid."""
    segmenter = Segmenter.from_weights('street', backend='torch')
    frames = [list(sequence) for sequence in street_sequences(2, 6, segmenter.input_size, 20.0)]
    results = measure(segmenter, lambda: frames, chosen(
        ['rgb8', 'mono8', 'mono16_12bit', 'mono16_png', 'bayer16_12bit', 'bayer8_jpeg']))
    for name, figures in results.items():
        reference = results['mono8' if name.startswith('mono') else 'rgb8']
        assert figures['frames'] == 12
        assert figures['miou'] == pytest.approx(reference['miou'], abs=0.02), name


def test_command(tmp_path, capsys):
    path = tmp_path / 'figures.json'
    arguments = ['--weights', 'street', '--data', 'street', '--seeds', '1', '--frames', '2',
                 '--size', '64', '48', '--encodings', 'rgb8', 'mono16_12bit', '--json', str(path)]
    assert main(arguments) == 0
    assert 'mono16_12bit' in capsys.readouterr().out.splitlines()[0]
    figures = json.loads(path.read_text())
    assert figures['backend'] == 'torch' and figures['input_size'] == [64, 48]
    assert figures['rgb8']['frames'] == figures['mono16_12bit']['frames'] == 2


def test_the_hash_is_that_of_the_frames():
    """It does not depend on the encodings that are compared."""
    network = untrained('fast')
    segmenter = Segmenter(network, metadata_of(network))
    frames = [list(sequence) for sequence in street_sequences(1, 2, segmenter.input_size, 20.0)]
    hashes = []
    for names in (['rgb8'], ['rgb8', 'mono8']):
        data_hash = DataHash()
        measure(segmenter, lambda: frames, names, data_hash)
        hashes.append(str(data_hash))
    assert hashes[0] == hashes[1] != str(DataHash())


def test_unknown_encodings_are_one_sentence(capsys):
    assert main(['--weights', 'street', '--data', 'street', '--encodings', 'rgb9']) == 1
    error = capsys.readouterr().err
    assert "unknown encoding 'rgb9': give some of rgb8, mono8" in error and error.count('\n') == 1
