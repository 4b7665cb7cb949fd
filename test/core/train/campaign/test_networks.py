# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks of stages: settings that reach the configuration, weights that do not fit."""

import dataclasses

import pytest
import torch
from support.untrained import metadata_of, untrained

from mfs_seg_core.data.statistics import MEAN, STD
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.neuron import LIF
from mfs_seg_core.train.campaign.networks import describe, start
from mfs_seg_core.train.campaign.stage import Stage
from mfs_seg_core.train.imagenet import IMAGENET_MEAN, IMAGENET_STD
from mfs_seg_core.weights.file import save_weights


def test_settings_reach_the_configuration():
    lite = describe(Stage('x', 'lite', levels=4, leak=0.5, signed=False), CAMVID)
    assert (lite.config.levels, lite.config.leak, lite.config.signed) == (4, 0.5, False)
    plain, fast = (describe(Stage('x', model), CAMVID) for model in ('lite', 'fast'))
    assert plain.config == dataclasses.replace(lite.config, levels=8, leak=0.25, signed=True)
    assert (plain.mean, plain.std) == (IMAGENET_MEAN, IMAGENET_STD)
    assert (fast.mean, fast.std) == (MEAN, STD)


@pytest.mark.parametrize('model, other, changes, reason', [
    ('lite', 'fast', {}, 'size mismatch'), ('fast', 'lite', {}, 'size mismatch'),
    ('lite', 'lite', {'decoder_kernels': ((3,), (5,), (5,), (7, 5))},
     'decoder.2.1.* is missing in it')])
def test_weights_of_another_network_are_rejected(tmp_path, model, other, changes, reason):
    path = tmp_path / 'other.safetensors'
    network = untrained(other, **changes)
    save_weights(path, network, metadata_of(network))
    stage = Stage('x', model, start=str(path))
    with pytest.raises(ValueError, match=f'cannot start from .*{reason}.*: choose'):
        start(stage, describe(stage, CAMVID), path, None, 'cpu')


def test_fixed_leaks_become_learned_ones(tmp_path):
    """Weights without learned leaks lack their tensors, and nothing else."""
    path = tmp_path / 'fixed.safetensors'
    network = untrained('fast', learn_leak=False)
    save_weights(path, network, metadata_of(network))
    stage = Stage('x', 'fast', leak=0.5)
    metadata = describe(stage, CAMVID)
    metadata = dataclasses.replace(
        metadata, config=dataclasses.replace(metadata.config, learn_leak=True))
    found = start(stage, metadata, path, None, 'cpu')
    assert torch.equal(found.stem.conv.weight, network.stem.conv.weight)
    assert all(m.leak.unique().item() == 0.5 for m in found.modules() if hasattr(m, 'leak'))


@pytest.mark.parametrize('leak, expected', [(-1.0, 0.7), (0.05, 0.05), (0.0, 0.0)])
def test_leaks_start_anew_where_a_stage_says_so(tmp_path, leak, expected):
    path = tmp_path / 'trained.safetensors'
    network = untrained('lite', leak=0.7)
    save_weights(path, network, metadata_of(network))
    stage = Stage('x', 'lite', leak=leak)
    found = start(stage, describe(stage, CAMVID), path, None, 'cpu')
    leaks = [module.leak for module in found.modules() if isinstance(module, LIF)]
    assert torch.cat([each.flatten() for each in leaks]).unique().tolist() == pytest.approx(
        [expected])
