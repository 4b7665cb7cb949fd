# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights files: round trips, and errors of one sentence for wrong files."""

import json

import pytest
import torch
from safetensors.torch import save_file
from support.untrained import metadata_of, untrained

from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.weights.file import load_weights, save_weights
from mfs_seg_core.weights.header import SHIPPED, WeightsError
from mfs_seg_core.weights.metadata import encode


@pytest.fixture
def saved(tmp_path):
    network = untrained('fast')
    metadata = metadata_of(network)
    save_weights(tmp_path / 'test.safetensors', network, metadata)
    return tmp_path / 'test.safetensors', network, metadata


def metadata(**changes):
    return {'format': 'mfs_seg_core', 'version': '1', **changes}


def test_round_trip(saved):
    path, network, metadata = saved
    loaded, read = load_weights(path)
    assert not loaded.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name])
    assert read.config == metadata.config
    assert (read.name, read.input_size, read.notes) == ('test', (64, 48), metadata.notes)
    assert read.classes.names == CAMVID.names
    assert (read.classes.palette == CAMVID.palette).all()


def test_no_temporary_file_remains(saved):
    assert [p.name for p in saved[0].parent.iterdir()] == ['test.safetensors']


def test_missing():
    with pytest.raises(WeightsError, match="no weights 'nowhere'.*name of shipped weights"):
        load_weights('nowhere')


@pytest.mark.parametrize('name', ['../weights/street', '/street', 'street/'])
def test_names_are_not_paths(name):
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
    path, network, metadata = saved
    other = MFSSeg(named_config('fast', classes=3))
    save_weights(tmp_path / 'other.safetensors', other, metadata)
    with pytest.raises(WeightsError, match='do not fit'):
        load_weights(tmp_path / 'other.safetensors')


@pytest.mark.parametrize('path', sorted(SHIPPED.glob('*.safetensors')), ids=lambda p: p.stem)
def test_shipped(path):
    network, metadata = load_weights(path.stem)
    assert metadata.name == path.stem
    assert metadata.notes['licence'] and metadata.notes['data']
    assert sum(p.numel() for p in network.parameters()) <= 1.0e6
    assert path.with_suffix('.md').is_file(), 'each shipped weights file has a card'


@pytest.mark.parametrize('sensors, modality', [
    (['camera'], 'camera'), (['events'], 'events'), (['camera', 'events'], 'fusion')])
def test_version_1_lists_sensors(tmp_path, sensors, modality):
    network = untrained('fast', events=4 if modality == 'fusion' else 0)
    fields = json.loads(encode(metadata_of(network)))
    del fields['modality']
    if modality == 'events':
        fields['event_bins'], fields['config']['inputs'] = 0, 3
    text = json.dumps({**fields, 'modalities': sensors})
    path = tmp_path / 'version_1.safetensors'
    save_file(network.state_dict(), path,
              {'format': 'mfs_seg_core', 'version': '1', 'description': text})
    assert load_weights(path)[1].modality == modality
