# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Spike maps, and the plots of them."""

import json

import cv2
import numpy as np
import pytest
import torch
from support.bags import image, write_bag
from support.untrained import untrained
from torch import nn

from mfs_seg_core.analysis import visualize
from mfs_seg_core.analysis.spike_maps import SpikeMap, SpikeRecorder, edges_of


def test_maps_are_mean_magnitudes_over_channels_and_steps():
    layer = nn.Sequential(nn.Conv2d(2, 1, 1))
    with SpikeRecorder(layer) as recorder:
        layer(torch.tensor([[[[0., -1, 0]], [[0, 3, -2]]]]))
        layer(torch.tensor([[[[0., 1, 0]], [[0, 1, 0]]]]))
    (each,) = recorder.maps()
    assert each.spikes.tolist() == [[0, 1.5, 0.5]]
    assert each.by_channel == pytest.approx([1 / 3, 1])
    assert each.rate == pytest.approx(2 / 3)


def test_layers_of_real_numbers_have_none():
    network = untrained('fast')
    with SpikeRecorder(network) as recorder, torch.no_grad():
        network(torch.randn(1, 1, 3, 48, 64))
    names = [each.name for each in recorder.maps()]
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


def run(*arguments):
    return visualize.main([str(each) for each in arguments])


def write_frames(folder):
    """Write two frames of noise."""
    folder.mkdir()
    frames = [np.random.default_rng(i).integers(0, 256, (48, 64, 3), np.uint8) for i in range(2)]
    for i, frame in enumerate(frames):
        cv2.imwrite(str(folder / f'{i}.png'), frame[..., ::-1])
    return frames


def layers_of(folder):
    layers = json.loads((folder / 'layers.json').read_text())['layers']
    assert all(0 <= layer['at_edges'] <= 1 and layer['rate'] >= 0 for layer in layers.values())
    return layers


def test_plots(tmp_path, weights):
    pytest.importorskip('matplotlib', reason='matplotlib is not installed: '
                        'pip install "mfs_seg_ros[plots]"')
    write_frames(tmp_path / 'frames')
    assert run('--weights', weights, '--input', tmp_path / 'frames', '--output', tmp_path / 'out',
               '--frames', 2) == 0
    assert cv2.imread(str(tmp_path / 'out/mask.png')).shape == (48, 64, 3)
    for name in ('spikes', 'rates', 'overlay'):
        assert cv2.imread(str(tmp_path / f'out/{name}.png')).std() > 5
    assert len(layers_of(tmp_path / 'out')) > 30


@pytest.mark.parametrize('kind', ['image', 'folder', 'bag', 'street'])
def test_inputs(tmp_path, monkeypatch, weights, kind):
    """The last frame and its mask are drawn."""
    drawn = []
    monkeypatch.setattr(visualize, 'draw', lambda *given: drawn.append(given))
    frames = write_frames(tmp_path / 'frames')
    source = {'image': tmp_path / 'frames/0.png', 'folder': tmp_path / 'frames',
              'bag': tmp_path / 'bag', 'street': 'street'}[kind]
    if kind == 'bag':
        # The topic of colour images, whatever the names of the others.
        write_bag(source, {'/z/color': [(i, image(frame, 'rgb8', i))
                                        for i, frame in enumerate(frames, 1)],
                           '/a/depth': [(1, image(frames[0][..., 0], 'mono8', 1))]})
    assert run('--weights', weights, '--input', source, '--output', tmp_path / 'out',
               '--frames', 2) == 0
    ((_, frame, _, mask, maps),) = drawn
    assert frame.shape == (48, 64, 3) and mask.shape == (48, 64)
    if kind != 'street':
        assert np.array_equal(frame, frames[kind != 'image'])
    assert list(layers_of(tmp_path / 'out')) == [each.name for each in maps]


@pytest.mark.parametrize('name, content, message', [
    ('nothing', None, 'does not exist'), ('a.png', b'x', 'no image that OpenCV can read'),
    ('a.mp4', b'x', 'text file'), ('a.mcap', b'x', 'does not begin as an MCAP file')])
def test_unusable_input(tmp_path, capsys, weights, name, content, message):
    if content:
        (tmp_path / name).write_bytes(content)
    assert run('--weights', weights, '--input', tmp_path / name, '--output', tmp_path / 'out') == 1
    assert message in capsys.readouterr().err
