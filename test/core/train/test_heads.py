# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starting from weights of other classes: which rows of the heads are kept."""

import numpy as np
import pytest
import torch

from mfs_seg_core.labels import CAMVID, ClassSet
from mfs_seg_core.train.heads import with_classes
from mfs_seg_core.train.module import Training
from mfs_seg_core.train.settings import Settings
from mfs_seg_core.weights.file import load_weights

START = {'stem.conv.weight': torch.ones(2, 3), 'heads.0.conv.weight': torch.arange(6.).view(3, 2),
         'heads.0.conv.bias': torch.tensor([1., 2., 3.]), 'heads.0.lif.leak': torch.ones(3)}
NETWORK = {'stem.conv.weight': torch.zeros(2, 3), 'heads.0.conv.weight': torch.full((2, 2), 9.),
           'heads.0.conv.bias': torch.full((2,), 9.), 'heads.0.lif.leak': torch.zeros(3)}


def test_rows_of_common_classes_are_kept():
    converted = with_classes(START, ('a', 'b', 'c'), NETWORK, ('new', 'b'))
    assert converted['heads.0.conv.weight'].tolist() == [[9, 9], [2, 3]]
    assert converted['heads.0.conv.bias'].tolist() == [9, 2]
    assert converted['stem.conv.weight'] is START['stem.conv.weight']
    assert converted['heads.0.lif.leak'] is START['heads.0.lif.leak']


def test_other_classes_of_the_same_number_are_not_taken_for_the_old_ones():
    network = {name: torch.zeros_like(tensor) for name, tensor in START.items()}
    converted = with_classes(START, ('a', 'b', 'c'), network, ('x', 'y', 'z'))
    assert not converted['heads.0.conv.weight'].any()
    same = with_classes(START, ('a', 'b', 'c'), network, ('a', 'b', 'c'))
    assert all(same[name] is tensor for name, tensor in START.items())


@pytest.mark.parametrize('names', [('Road', 'wheelbarrow'), ('p', 'q', 'r'), CAMVID.names])
def test_training_starts_from_shipped_weights(names):
    classes = ClassSet('x', names, np.zeros((len(names), 3), np.uint8))
    training = Training(Settings('x', 'camvid', start='camvid'), classes, 3,
                        torch.ones(len(names)))
    started = load_weights('camvid')[0].state_dict()
    ours = training.network.state_dict()
    heads = [name for name in ours if name.startswith('heads.') and '.conv.' in name]
    assert len(heads) == 6
    assert all(torch.equal(ours[name], started[name]) for name in ours if name not in heads)
    for name in heads:
        assert len(ours[name]) == len(names)
        for row, each in enumerate(names):
            if each in CAMVID.names:
                assert torch.equal(ours[name][row], started[name][CAMVID.names.index(each)])
