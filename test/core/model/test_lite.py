# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network lite: size, twin, conversion, memory layout of gradients, wrong configurations.

Properties that all networks share are tested in test_network.py.
"""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from support.untrained import metadata_of, untrained
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.conversion import convert
from mfs_seg_core.model.lite import LiteSeg
from mfs_seg_core.model.operations import OperationCounter
from mfs_seg_core.model.state import Membranes, Neuron, Spiking
from mfs_seg_core.streaming.segmenter import Segmenter


@pytest.fixture(scope='module')
def twin():
    return untrained('lite_twin')


@pytest.fixture(scope='module')
def images():
    return torch.randn(3, 3, 48, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize('events', [0, 4])
def test_size(events):
    network = LiteSeg(named_config('lite', 11, events=events)).eval()
    assert sum(p.numel() for p in network.parameters()) <= 1.0e6
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 1, 3, 180, 240))
    assert counter.get_total_flops() / 2 <= 0.45e9


def test_blocks_and_norms_are_those_of_efficientnet(twin):
    """Other shortcuts, or another epsilon, would spoil an encoder from ImageNet."""
    assert {m.eps for m in twin.modules() if isinstance(m, nn.BatchNorm2d)} == {1e-3}
    widen, keep = copy.deepcopy(twin.encoder[1])
    for block in (widen, keep):
        nn.init.zeros_(block.project.norm.weight)
        nn.init.zeros_(block.project.norm.bias)
    with torch.no_grad():
        x = torch.randn(1, 1, 16, 8, 8)
        assert not widen(x, Membranes(None, False, 1.0)).any()
        x = torch.randn(1, 1, 24, 8, 8)
        assert torch.equal(keep(x, Membranes(None, False, 1.0)), x)


@pytest.mark.parametrize('events', [0, 4])
def test_every_layer_writes_and_reads_one_current(events):
    twin = untrained('lite_twin', events=events)
    writers = [id(each) for current in twin.currents() for each in current.writers]
    readers = [id(each) for current in twin.currents() for each in current.readers]
    assert len(set(writers)) == len(writers) and len(set(readers)) == len(readers)
    assert set(writers) == {id(m) for m in twin.modules()
                            if isinstance(getattr(m, 'norm', None), nn.BatchNorm2d)}
    assert set(readers) == {id(m) for m in twin.modules() if hasattr(m, 'lif')}


@torch.no_grad()
@pytest.mark.parametrize('per_channel', [True, False])
def test_many_levels_equal_the_twin(twin, images, per_channel, monkeypatch):
    """Without clipping, the error of a conversion is that of rounding alone."""
    monkeypatch.setattr('mfs_seg_core.model.conversion.SHARE', 1.0)
    expected = twin(images[None]).logits[-1]

    def error(levels):
        found = convert(twin, images, levels, per_channel=per_channel)(images[None]).logits[-1]
        return float((found - expected).norm() / expected.norm())

    assert error(100_000) < 1e-3
    assert error(100_000) < error(64) < error(8)


@torch.no_grad()
def test_many_levels_equal_a_twin_of_both_sensors(images, monkeypatch):
    monkeypatch.setattr('mfs_seg_core.model.conversion.SHARE', 1.0)
    twin = untrained('lite_twin', events=4)
    nn.init.ones_(twin.events.join.project.norm.weight)
    events = torch.rand(3, 4, 48, 64, generator=torch.Generator().manual_seed(2))
    network = convert(twin, images, 100_000, events=events)
    for image, window in ((images, None), (None, events), (images, events)):
        inputs = [None if x is None else x[None] for x in (image, window)]
        expected, found = (each(inputs[0], events=inputs[1]).logits[-1]
                           for each in (twin, network))
        assert float((found - expected).norm() / expected.norm()) < 1e-3


@torch.no_grad()
def test_conversion_leaves_the_twin_unchanged(twin, images):
    before = {name: tensor.clone() for name, tensor in twin.state_dict().items()}
    network = convert(twin, images, 8, leak=0.5)
    assert all(torch.equal(before[name], tensor) for name, tensor in twin.state_dict().items())
    assert network.config == dataclasses.replace(
        twin.config, analogue=False, learn_leak=True, leak=0.5)
    assert all(m.lif.leak.unique().item() == 0.5 for m in network.modules() if hasattr(m, 'lif'))


@torch.no_grad()
def test_the_twin_has_no_state(twin, images):
    first = twin(images[None])
    assert not first.state
    again = twin(images[None], first.state)
    assert torch.equal(first.logits[-1], again.logits[-1])


@pytest.mark.parametrize('steps', [1, 2])
def test_gradients_stay_channels_last(steps):
    """Another layout would take most of the time of training on a GPU."""
    network = untrained('lite').train()
    wrong = []

    def check(module, inputs, outputs):
        wrong.extend(x.shape for x in (*inputs, *outputs) if x is not None
                     and not x.is_contiguous(memory_format=torch.channels_last))

    network.to(memory_format=torch.channels_last)
    handles = [m.register_full_backward_hook(check) for m in network.modules()
               if isinstance(m, nn.BatchNorm2d)]
    image = torch.randn(2, 3, 48, 64).to(memory_format=torch.channels_last).unsqueeze(0)
    state = None
    for _ in range(steps):
        prediction = network(image, state)
        state = prediction.state
    prediction.logits[-1].square().mean().backward()
    assert handles and not wrong


def test_bfloat16_stays_in_all_layers():
    network = untrained('lite')
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
        prediction = network(torch.randn(1, 1, 3, 48, 64))
    dtypes = {x.dtype for x in (*prediction.state.values(), *prediction.logits)}
    assert dtypes == {torch.bfloat16}


def test_negative_spikes_count_by_their_size():
    network, images = untrained('lite'), torch.randn(1, 1, 3, 48, 64)
    spikes = {}
    layer = network.encoder[1][0].expand
    handle = layer.conv.register_forward_pre_hook(lambda _, x: spikes.update(x=x[0]))
    with OperationCounter(network) as counter, torch.no_grad():
        rates = network(images, rates=True).rates
    handle.remove()
    assert (spikes['x'] < 0).any() and (spikes['x'] > 0).any()
    counted = counter.layers['encoder.1.0.expand.conv']
    assert counted.spiking and counted.spikes == spikes['x'].abs().sum()
    assert rates['encoder.1.0.expand.lif'].item() == pytest.approx(counted.rate)
    assert [name for name, each in counter.layers.items() if each.macs] == ['stem.conv']


def test_segmenter_runs_it_as_a_stream():
    segmenter = Segmenter(untrained('lite'), metadata_of(untrained('lite')))
    frame = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    first = segmenter.step(frame, 0.05, firing_rate=True)
    state = segmenter.state
    segmenter.step(frame, 0.05)
    assert first.mask.shape == (48, 64) and first.firing_rate > 0
    assert any(not np.array_equal(state[name], segmenter.state[name]) for name in state)


def test_the_encoder_recalls_its_current_of_the_step_before(images):
    network = untrained('lite')
    nn.init.ones_(network.encoder_recall.project.norm.weight)
    first = network(images[:1, None])
    assert first.state['encoder_recall'].shape == (1, 24, 12, 16)
    # All but the recalled current at rest.
    states = [{name: x if name == 'encoder_recall' and recalled else torch.zeros_like(x)
               for name, x in first.state.items()} for recalled in (True, False)]
    recalled, rest = (network(images[1:2, None], state, rates=True) for state in states)
    assert recalled.rates['encoder.4.0.expand.lif'] != rest.rates['encoder.4.0.expand.lif']
    # It depends on all steps before, not on the last one alone.
    again = network(images[1:2, None], first.state).state['encoder_recall']
    assert not torch.equal(again, rest.state['encoder_recall'])


@pytest.mark.parametrize('changes, sentence', [
    ({'recall': False}, 'encoder_recall needs recall'),
    ({'decoder_widths': (32, 48)}, 'of 4 scales'),
    ({'encoder': ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24))}, '3 scales or more'),
    ({'levels': 1}, 'levels above 1'), ({'detail': 0}, 'detail'),
    ({'decoder_kernels': ((4,), (5,), (5,), (5,))}, 'odd kernels'),
    ({'encoder': ((1000, 3, 1, 1, 16),)}, 'at most 128 blocks')])
def test_wrong_configurations(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        named_config('lite', 11, **changes)


def test_the_neurons_of_the_twin_clip_to_6_or_pass_on_the_current():
    current = torch.tensor([-1.0, 0.5, 5.5, 7.0], requires_grad=True)
    settings = Spiking(8, 0.5, False, signed=True, analogue=True)
    clipped = Neuron(4, settings).clip(current)
    clipped.sum().backward()
    assert clipped.tolist() == [0.0, 0.5, 5.5, 6.0]
    assert current.grad.tolist() == [0.0, 1.0, 1.0, 0.0]
    assert Neuron(4, settings, signed=True).clip(current) is current
