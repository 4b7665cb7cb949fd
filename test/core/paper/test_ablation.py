# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The blocks of the comparison, and the studies that train them."""

import json

import pytest
import torch
from support.untrained import metadata_of, untrained
from torch import nn

from mfs_seg_core.model.baseline_blocks import BLOCKS
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.operations import OperationCounter, parameters
from mfs_seg_core.model.state import Membranes, Spiking
from mfs_seg_core.paper import ablation
from mfs_seg_core.paper.ablation import VARIANTS, gradients, network_of, noise_of, stills
from mfs_seg_core.weights.file import load_weights, save_weights

SPIKING = Spiking(4, 0.25, False)


@pytest.mark.parametrize('name', BLOCKS)
def test_blocks_keep_the_shape(name):
    x = torch.randn(2, 3, 8, 6, 5)
    assert BLOCKS[name](8, 2, SPIKING)(x, Membranes(None)).shape == x.shape


def test_ms_res_starts_as_the_identity_and_ems_res_nearly():
    x = torch.randn(1, 2, 8, 6, 5)
    with torch.no_grad():
        changes = {name: float((BLOCKS[name](8, 2, SPIKING)(x, Membranes(None)) - x).std())
                   for name in ('ms_res', 'ems_res', 'plain')}
    assert changes['ms_res'] == 0 and 0.1 < changes['ems_res'] < 0.3 < changes['plain']


def test_separable_convolution_has_a_fraction_of_the_weights():
    """Hidden channels 96: 9 weights each, or 9 for each of all 96."""
    separable, dense = (parameters(BLOCKS[name](48, 2, SPIKING))
                        for name in ('efs_res', 'efs_res_dense'))
    assert dense - separable == 96 * 95 * 9


@torch.no_grad()
def test_convolutions_of_membrane_potentials_take_macs():
    """Without spikes as input, the two convolutions between scales cost MACs."""
    counts = {}
    for full_spike in (True, False):
        network = network_of(full_spike=full_spike).eval()
        with OperationCounter(network) as count:
            network(torch.randn(1, 1, 3, 48, 64))
        counts[full_spike] = {name for name, layer in count.layers.items() if layer.macs}
    assert counts[False] - counts[True] == {'down.0.conv', 'down.1.conv'}


def test_gradients_of_a_deep_stack(monkeypatch):
    """With shortcuts, the gradient of the first block is about that of the last."""
    monkeypatch.setattr(ablation, 'SIZE', (64, 48))
    images, labels = stills(3, 8)
    ratios = {}
    for block in ('efs_res', 'plain'):
        norms = gradients(network_of(8, block=block), images, labels)
        ratios[block] = norms[0] / norms[-1]
    assert len(norms) == 8
    assert 0.4 < ratios['efs_res'] < 2.5 and not 0.2 < ratios['plain'] < 5


def test_noise_is_of_the_copies(monkeypatch):
    """Less noise between copies raises the ratio; channels that always fire are saturated."""
    monkeypatch.setattr(ablation, 'SIZE', (64, 48))
    network = untrained('fast')
    images = stills(3, 8)[0][:2]
    noisy = noise_of(network, images)
    monkeypatch.setattr(ablation, 'NOISE', 1.0)
    calm = noise_of(network, images)
    assert calm['snr_db'] > noisy['snr_db'] + 1 and noisy['silent'] < 0.5
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.weight, 0)
            nn.init.constant_(module.bias, 9)
    assert noise_of(network, images)['saturated'] > 0.9


@pytest.fixture
def small(monkeypatch):
    """Small frames and batches for the studies."""
    for name, value in (('SIZE', (64, 48)), ('BATCH', 2), ('COPIES', 2), ('NOISY_FRAMES', 2)):
        monkeypatch.setattr(ablation, name, value)


def test_studies(tmp_path, small):
    assert ablation.main(['blocks', '--steps', '2', '--frames', '8',
                          '--json', str(tmp_path / 'blocks.json')]) == 0
    results = json.loads((tmp_path / 'blocks.json').read_text())['results']
    assert list(results) == list(VARIANTS)
    assert len({result['parameters'] for result in results.values()}) == 3
    assert all(0 <= result['miou'] < 0.5 and result['energy_mj'] > 0 for result in results.values())
    assert ablation.main(['depth', '--steps', '2', '--frames', '8', '--depths', '1', '2',
                          '--json', str(tmp_path / 'depth.json')]) == 0
    results = json.loads((tmp_path / 'depth.json').read_text())['results']
    assert len(results['EFS-Res']['2']['gradients']) == 2 and results['EFS-Res']['1']['loss'] > 0


def test_misuse(capsys):
    assert ablation.main(['depth', '--depths', '0']) == 1
    assert 'take 1 or more' in capsys.readouterr().err


def test_other_blocks_are_saved_and_unknown_ones_refused(tmp_path):
    network = network_of(1, block='ems_res')
    save_weights(tmp_path / 'ems.safetensors', network, metadata_of(network))
    assert load_weights(tmp_path / 'ems.safetensors')[0].config.block == 'ems_res'
    with pytest.raises(ValueError, match="no block 'res'"):
        named_config('fast', 11, block='res')
