# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of CamVid in memory: drives, times between frames, sizes, weights of classes."""

import numpy as np
import pytest
import torch
from support.camvid_tree import write_camvid

from mfs_seg_core.data.sequences import camvid_sequences
from mfs_seg_core.train.campaign.frames import DeviceFrames

NAMES = ['0001TP_00030', '0001TP_00060', '0016E5_00007', '0001TP_00075', '0016E5_last',
         '0016E5_00022']


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Return a tree whose frames are of two drives."""
    root = write_camvid(tmp_path_factory.mktemp('camvid'), 'train', len(NAMES))
    lines = []
    for index, name in enumerate(NAMES):
        for folder in ('train', 'trainannot'):
            path = root / folder / f'0001TP_{index:05d}.png'
            path.rename(root / folder / f'{name}.png.new')
        lines.append(f'train/{name}.png trainannot/{name}.png')
    for path in root.glob('*/*.new'):
        path.rename(path.with_suffix(''))
    (root / 'train.txt').write_text('\n'.join(lines) + '\n')
    return root


def test_drives_and_times_are_those_of_evaluate(root):
    drives = DeviceFrames(str(root), ['train'], (64, 48), 'cpu').drives()
    assert drives == [[(0, None), (1, 1.0), (3, 0.5)], [(2, None), (4, None), (5, None)]]
    evaluated = [[time for _, _, time in drive] for drive in camvid_sequences(str(root), 'train')]
    assert evaluated == [[time for _, time in drive] for drive in drives]


@pytest.mark.parametrize('choice', [{'only': ('0016E5',)}, {'without': ('0001TP',)}])
def test_drives_are_chosen(root, choice):
    frames = DeviceFrames(str(root), ['train'], (64, 48), 'cpu', **choice)
    assert frames.names == tuple(name for name in NAMES if name.startswith('0016E5'))
    assert len(frames.images) == len(frames.labels) == len(frames) == 3


@pytest.mark.parametrize('resize_labels, shape', [(True, (24, 32)), (False, (48, 64))])
def test_sizes(root, resize_labels, shape):
    frames = DeviceFrames(str(root), ['train'], (32, 24), 'cpu', resize_labels=resize_labels)
    assert frames.images.shape == (6, 24, 32, 3) and frames.labels.shape == (6, *shape)


def test_rare_classes_weigh_more(root):
    frames = DeviceFrames(str(root), ['train'], (64, 48), 'cpu')
    weights = frames.class_weights(11)
    labels = frames.labels.numpy()
    shares = np.array([(labels == each).sum() / (labels != 255).sum() for each in range(11)])
    expected = 1 / np.log(1.1 + shares)
    torch.testing.assert_close(weights, torch.tensor(expected / expected.mean()).float())
    assert weights[0] < weights[1]
