# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights files: what is written is read again, and what is wrong is refused with a sentence."""

import json

import pytest
import torch
from safetensors.torch import save_file
from untrained import described, untrained

from mfs_seg_core.labels import CAMVID
from mfs_seg_core.network import MFSSeg, named_config
from mfs_seg_core.weights import SHIPPED, WeightsError, load_weights, save_weights


@pytest.fixture
def saved(tmp_path):
    network = untrained('fast')
    description = described(network)
    save_weights(tmp_path / 'test.safetensors', network, description)
    return tmp_path / 'test.safetensors', network, description


def metadata(**changes):
    return {'format': 'mfs_seg_core', 'version': '1', **changes}


def test_round_trip(saved):
    path, network, description = saved
    loaded, read = load_weights(path)
    assert not loaded.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name])
    assert read.config == description.config
    assert (read.name, read.input_size, read.notes) == ('test', (64, 48), description.notes)
    assert read.classes.names == CAMVID.names
    assert (read.classes.palette == CAMVID.palette).all()


def test_nothing_is_left_aside(saved):
    assert [p.name for p in saved[0].parent.iterdir()] == ['test.safetensors']


def test_missing():
    with pytest.raises(WeightsError, match="no weights 'nowhere'.*name of shipped weights"):
        load_weights('nowhere')


@pytest.mark.parametrize('name', ['../weights/street', '/street', 'street/'])
def test_a_name_is_no_path(name):
    with pytest.raises(WeightsError, match='no weights'):
        load_weights(name)


@pytest.mark.parametrize('keep', [0, 4, 100, -1])
def test_truncated(saved, keep):
    path = saved[0]
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WeightsError, match='cannot be read as safetensors'):
        load_weights(path)


def test_foreign(saved, tmp_path):
    tensors = saved[1].state_dict()
    for wrong, message in (
            (None, 'not a weights file'), ({'format': 'other'}, 'not a weights file'),
            (metadata(version='99'), "version '99'.*update"),
            (metadata(), 'incomplete'),
            (metadata(description='{'), 'damaged'),
            (metadata(description=json.dumps({'name': 'x'})), 'incomplete')):
        save_file(tensors, tmp_path / 'foreign.safetensors', wrong)
        with pytest.raises(WeightsError, match=message):
            load_weights(tmp_path / 'foreign.safetensors')


def test_tensors_of_another_network(saved, tmp_path):
    path, network, description = saved
    other = MFSSeg(named_config('fast', classes=3))
    save_weights(tmp_path / 'other.safetensors', other, description)
    with pytest.raises(WeightsError, match='do not fit'):
        load_weights(tmp_path / 'other.safetensors')


@pytest.mark.parametrize('path', sorted(SHIPPED.glob('*.safetensors')), ids=lambda p: p.stem)
def test_shipped(path):
    network, description = load_weights(path.stem)
    assert description.name == path.stem
    assert description.notes['licence'] and description.notes['data']
    assert sum(p.numel() for p in network.parameters()) <= 1.0e6
    assert path.with_suffix('.md').is_file(), 'each shipped weights file has a card'
