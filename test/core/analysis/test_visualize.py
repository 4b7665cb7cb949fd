# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Spike maps: what they hold, and the pictures of them."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from support.untrained import metadata_of, untrained
from torch import nn

from mfs_seg_core.analysis.spike_maps import SpikeMap, Watch, edges_of
from mfs_seg_core.weights.file import save_weights


def test_maps_are_means_over_channels_and_steps():
    layer = nn.Sequential(nn.Conv2d(2, 1, 1))
    with Watch(layer) as watch:
        layer(torch.tensor([[[[0., 1, 0]], [[0, 3, 2]]]]))
        layer(torch.tensor([[[[0., 1, 0]], [[0, 1, 0]]]]))
    (each,) = watch.maps()
    assert each.spikes.tolist() == [[0, 1.5, 0.5]]
    assert each.by_channel == pytest.approx([1 / 3, 1])
    assert each.rate == pytest.approx(2 / 3)


def test_layers_of_real_numbers_have_none():
    network = untrained('fast')
    with Watch(network) as watch, torch.no_grad():
        network(torch.randn(1, 1, 3, 48, 64))
    names = [each.name for each in watch.maps()]
    assert 'stem' not in names and 'encoder.2.0.depthwise' in names and len(names) > 30


def test_edges_are_two_pixels_wide_on_either_side():
    mask = np.zeros((9, 12), np.uint8)
    mask[:, 6:] = 1
    edges = edges_of(mask)
    assert edges.any(0).tolist() == [4 <= column <= 7 for column in range(12)]
    assert not edges_of(np.ones((5, 5), np.uint8)).any()


def test_share_at_edges():
    edges = np.zeros((4, 8), bool)
    edges[:, 4:6] = True
    at = SpikeMap('a', np.array([[0, 0, 5, 0]] * 2, np.float32), np.ones(1)).at_edges(edges)
    away = SpikeMap('b', np.array([[5, 0, 0, 0]] * 2, np.float32), np.ones(1)).at_edges(edges)
    assert at == (1, 0.25) and away == (0, 0.25)


def visualize(*arguments):
    return subprocess.run([sys.executable, '-m', 'mfs_seg_core.visualize', *map(str, arguments)],
                          capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize('kind', ['image', 'folder', 'street'])
def test_pictures(tmp_path, kind):
    pytest.importorskip('matplotlib')
    network = untrained('fast')
    save_weights(tmp_path / 'test.safetensors', network, metadata_of(network))
    (tmp_path / 'frames').mkdir()
    for i in range(2):
        image = np.random.default_rng(i).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / 'frames' / f'{i}.png'), image)
    given = {'image': tmp_path / 'frames/0.png', 'folder': tmp_path / 'frames', 'street': 'street'}
    done = visualize('--weights', tmp_path / 'test.safetensors', '--input', given[kind],
                     '--output', tmp_path / 'out', '--frames', 2)
    assert done.returncode == 0, done.stderr
    assert cv2.imread(str(tmp_path / 'out/mask.png')).shape == (48, 64, 3)
    for name in ('spikes', 'rates', 'overlay'):
        assert cv2.imread(str(tmp_path / f'out/{name}.png')).std() > 5
    layers = json.loads((tmp_path / 'out/layers.json').read_text())['layers']
    assert all(0 <= layer['at_edges'] <= 1 and layer['rate'] >= 0 for layer in layers.values())


@pytest.mark.parametrize('name, content, message', [
    ('nothing', None, 'does not exist'), ('a.png', b'x', 'cannot be read as an image'),
    ('a.mp4', b'x', 'cannot be read as a video'), ('a.mcap', b'x', 'cannot be read as a rosbag2')])
def test_unusable_input(tmp_path, name, content, message):
    network = untrained('fast')
    save_weights(tmp_path / 'test.safetensors', network, metadata_of(network))
    if content:
        (tmp_path / name).write_bytes(content)
    done = visualize('--weights', tmp_path / 'test.safetensors', '--input', tmp_path / name,
                     '--output', tmp_path / 'out')
    assert done.returncode == 1 and message in done.stderr, done.stderr
    assert 'Traceback' not in done.stderr
