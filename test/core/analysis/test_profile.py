# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Operations and energy: counted by hand, by an independent counter, and of whole networks."""

import json
from importlib.util import find_spec

import pytest
import torch
from support.untrained import metadata_of, untrained
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mfs_seg_core.analysis.profile import main
from mfs_seg_core.model.network import fold_norms
from mfs_seg_core.model.operations import OperationCounter, parameters
from mfs_seg_core.model.unet import UNet
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.weights.file import save_weights


def test_convolution_by_hand():
    """3 to 8 channels, 3x3, stride 2, on 10x6 pixels: 5x3 outputs of 27 products each."""
    layer = nn.Sequential(nn.Conv2d(3, 8, 3, 2, padding=1))
    with OperationCounter(layer) as count:
        layer(torch.rand(2, 3, 6, 10) + 0.1)
    assert count.macs == 2 * 8 * 3 * 5 * 27 and count.acs == 0
    assert count.energy_mj() == pytest.approx(count.macs * 4.6e-9)


def test_spikes_are_added_one_by_one():
    """Of 12 inputs 3 fire, one of them with the value 4: 6 unit spikes, half a spike each."""
    spikes = torch.zeros(1, 12, 1, 1)
    spikes[0, [1, 5]], spikes[0, 9] = 1, 4
    layer = nn.Sequential(nn.Conv2d(12, 7, 1, bias=False))
    with OperationCounter(layer) as count:
        layer(spikes)
    # Each unit spike is one addition to each of 7 outputs.
    assert count.acs == 6 * 7 and count.macs == 0 and count.operations == 84
    assert count.layers['0'].rate == 0.5
    assert count.energy_mj(ac_pj=2.0) == pytest.approx(84e-9)


@pytest.mark.parametrize('layer, shape, expected', [
    (nn.Conv2d(6, 6, 5, padding=2, groups=6), (1, 6, 4, 4), 6 * 16 * 25),
    (nn.ConvTranspose2d(4, 3, 2, 2), (1, 4, 5, 5), 4 * 25 * 3 * 4),
    (nn.Linear(10, 3), (7, 10), 7 * 30)])
def test_other_layers_by_hand(layer, shape, expected):
    whole = nn.Sequential(layer)
    with OperationCounter(whole) as count:
        whole(torch.rand(shape) + 0.1)
    assert count.macs == expected


@pytest.mark.parametrize('values', [(1.0, 0.5), (0.5, 1.0)])
def test_a_layer_with_one_real_input_makes_macs(values):
    layer = nn.Sequential(nn.Conv2d(1, 1, 1))
    with OperationCounter(layer) as count:
        for value in values:
            layer(torch.full((1, 1, 2, 2), value))
    assert count.macs == 8 and count.acs == 0 and count.layers['0'].rate is None


def test_nothing_is_counted_after():
    layer = nn.Sequential(nn.Conv2d(1, 1, 1))
    with OperationCounter(layer) as count:
        pass
    layer(torch.ones(1, 1, 2, 2))
    assert count.operations == 0


@torch.no_grad()
@pytest.mark.parametrize('network', ['unet', 'fast', 'paper', 'fused'])
def test_an_independent_counter_agrees(network):
    """torch counts two floating-point operations for each product with its sum."""
    network = (UNet(UNetConfig(11, width=8)).eval() if network == 'unet' else
               fold_norms(untrained('fast', 4) if network == 'fused' else untrained(network)))
    given = {'events': torch.rand(1, 1, 4, 48, 64)} if network.config.events else {}
    with OperationCounter(network) as count, FlopCounterMode(display=False) as theirs:
        network(torch.rand(1, 1, 3, 48, 64), **given)
    assert count.operations == pytest.approx(theirs.get_total_flops() / 2, rel=0.01)
    assert (count.macs == count.operations) == isinstance(network, UNet)


@torch.no_grad()
@pytest.mark.parametrize('name', ['fast', 'paper'])
def test_only_stems_take_real_numbers(name):
    """Full spike: the input of every other convolution is spikes."""
    network = untrained(name)
    with OperationCounter(network) as count:
        network(torch.randn(1, 1, 3, 48, 64))
    real = [layer.name for layer in count.layers.values() if layer.rate is None]
    assert real and all('stem' in name for name in real)


def test_unet_of_the_claim_has_31_million_parameters():
    assert parameters(UNet(UNetConfig(11))) == pytest.approx(31.04e6, rel=0.001)


def save_untrained(path, events=0):
    network = untrained('fast', events)
    save_weights(path, network, metadata_of(network))
    return network


def test_profile_writes_ratios(tmp_path, capsys):
    network = save_untrained(tmp_path / 'test.safetensors')
    plot = ['--picture', str(tmp_path / 'layers.png')] if find_spec('matplotlib') else []
    assert main(['--weights', str(tmp_path / 'test.safetensors'), '--against', 'unet', '--data',
                 'street', '--frames', '2', '--json', str(tmp_path / 'profile.json'), *plot]) == 0
    assert (tmp_path / 'layers.png').is_file() or not find_spec('matplotlib')
    result = json.loads((tmp_path / 'profile.json').read_text())
    assert result['parameters'] == parameters(network)
    assert result['ratio_parameters'] == result['unet']['parameters'] / result['parameters'] > 31
    assert result['ratio_energy'] == result['unet']['energy_mj'] / result['energy_mj']
    assert result['macs'] * 4.6e-9 + result['acs'] * 0.9e-9 == pytest.approx(result['energy_mj'])
    # Four steps of a frame take four times the products of one.
    assert result['repeat@4']['macs'] == pytest.approx(4 * result['macs'])
    assert 3 < result['repeat@4']['acs'] / result['stream@1']['acs'] < 5
    assert 'times the energy of a stream' in capsys.readouterr().out


def test_profile_of_events_and_of_fusion(tmp_path):
    """An absent sensor costs nothing; fusion takes the products of both sensors."""
    save_untrained(tmp_path / 'test.safetensors', events=4)
    assert main(['--weights', str(tmp_path / 'test.safetensors'), '--against', 'unet', '--data',
                 'street', '--events', '--frames', '3',
                 '--json', str(tmp_path / 'profile.json')]) == 0
    result = json.loads((tmp_path / 'profile.json').read_text())
    camera, events, fusion = (result[f'stream@1{name}'] for name in ('', ', events', ', fusion'))
    assert camera['macs'] > 0 and events['macs'] > 0
    assert camera['macs'] + events['macs'] == fusion['macs']
    stems = [[mode['layers'][name]['operations'] for mode in (camera, events, fusion)]
             for name in ('stem.conv', 'events.stem.conv')]
    assert stems[0] == [camera['macs'], 0, camera['macs']]
    assert stems[1] == [0, events['macs'], events['macs']]
    assert camera['acs'] != events['acs'] != fusion['acs'] > 0


@pytest.mark.parametrize('arguments, message', [
    (('--config', 'fast', '--data', 'street', '--events'), 'leave it out'),
    (('--weights', 'street', '--data', 'camvid', '--root', '.', '--events'), 'leave it out'),
    (('--weights', 'nowhere', '--data', 'street'), 'no weights'),
    (('--config', 'slow', '--data', 'street'), 'no configuration'),
    (('--config', 'fast', '--data', 'camvid'), 'add --root DIR'),
    (('--config', 'fast', '--data', 'street', '--frames', '0'), 'take 1 or more')])
def test_misuse(arguments, message, capsys):
    assert main([*arguments]) == 1
    errors = capsys.readouterr().err
    assert message in errors and len(errors.splitlines()) == 1
