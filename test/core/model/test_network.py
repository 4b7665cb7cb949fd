# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network: sizes, full spike, streaming equal to many steps, explicit state, export."""

import copy

import pytest
import torch
from support.untrained import untrained
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mfs_seg_core.model.blocks import Stem
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.network import MFSSeg, fold_norms
from mfs_seg_core.model.state import Neuron


@pytest.fixture(scope='module', params=['paper', 'fast', 'lite'])
def network(request):
    return untrained(request.param)


@pytest.fixture(autouse=True)
def seeded():
    """Seed the inputs: in rare samples, rounding moves a potential across a threshold."""
    torch.manual_seed(0)


@torch.no_grad()
def run(network, images, state=None):
    return network(images, state)


def test_paper_size():
    network = MFSSeg(named_config('paper', classes=12)).eval()
    parameters = sum(p.numel() for p in network.parameters())
    assert parameters == pytest.approx(1.0e6, rel=0.02)
    assert network.config.steps == 5 and network.config.levels == 1


def test_fast_size():
    network = MFSSeg(named_config('fast', classes=11)).eval()
    assert sum(p.numel() for p in network.parameters()) <= 1.0e6
    with FlopCounterMode(display=False) as counter:
        run(network, torch.zeros(1, 1, 3, 180, 240))
    assert counter.get_total_flops() / 2 <= 0.5e9
    assert network.config.steps == 1 and network.config.levels in (4, 8)


@pytest.mark.parametrize('height, width', [(180, 240), (48, 64), (47, 65), (33, 40)])
def test_output_scales(network, height, width):
    logits = run(network, torch.randn(1, 1, 3, height, width)).logits
    quarter, half, full = [tuple(scale.shape) for scale in logits]
    assert full == (1, 1, 11, height, width)
    assert half == (1, 1, 11, -(-height // 2), -(-width // 2))
    assert quarter == (1, 1, 11, -(-height // 4), -(-width // 4))


def test_full_spike(network):
    """On real activations, the inputs of all convolutions but the stems are integers 0..D."""
    inputs_of, stems = {}, {m.conv for m in network.modules() if isinstance(m, Stem)}

    def record(module, inputs):
        inputs_of[module] = inputs[0]

    convolutions = {name: m for name, m in network.named_modules()
                    if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))}
    handles = [m.register_forward_pre_hook(record) for m in convolutions.values()]
    state = run(network, torch.randn(1, 1, 3, 48, 64)).state
    run(network, torch.randn(1, 1, 3, 48, 64), state)
    for handle in handles:
        handle.remove()
    least = {m.conv: m.lif.least for m in network.modules() if hasattr(m, 'lif')
             and hasattr(m, 'conv')}
    for name, module in convolutions.items():
        values = set(inputs_of[module].unique().tolist())
        levels = set(range(least.get(module, 0), network.config.levels + 1))
        if module in stems:
            assert not values <= levels, f'{name} is a stem: it should take pixels'
        else:
            assert values <= levels, f'{name} takes more than spikes'
    assert any(inputs_of[m].sum() > 0 for m in convolutions.values() if m not in stems)


def test_steps_equal_many_steps(network):
    images, state, alone = torch.randn(4, 2, 3, 48, 64), None, []
    together = run(network, images)
    for image in images:
        prediction = run(network, image[None], state)
        state = prediction.state
        alone.append(prediction.logits[-1])
    torch.testing.assert_close(torch.cat(alone), together.logits[-1], rtol=1e-4, atol=1e-4)
    assert state.keys() == together.state.keys()
    for name in state:
        torch.testing.assert_close(state[name], together.state[name], rtol=1e-4, atol=1e-4)


def test_rest_is_zero(network):
    images = torch.randn(1, 2, 3, 48, 64)
    state = network.init_state(2, 48, 64)
    assert all(not potential.any() for potential in state.values())
    assert torch.equal(run(network, images).logits[-1], run(network, images, state).logits[-1])


def test_state_saved_and_restored(network, tmp_path):
    images = torch.randn(4, 1, 3, 48, 64)
    middle = run(network, images[:2]).state
    torch.save(middle, tmp_path / 'state.pt')
    restored = torch.load(tmp_path / 'state.pt', weights_only=True)
    expected, found = run(network, images[2:], middle), run(network, images[2:], restored)
    assert torch.equal(found.logits[-1], expected.logits[-1])
    assert not torch.equal(found.logits[-1], run(network, images[2:]).logits[-1])


def test_interleaved_streams(network):
    streams = torch.randn(2, 3, 1, 1, 3, 48, 64)
    alone = []
    for stream in streams:
        state = None
        for image in stream:
            prediction = run(network, image, state)
            state = prediction.state
        alone.append(prediction.logits[-1])
    states = [None, None]
    for time in range(3):
        for index, stream in enumerate(streams):
            prediction = run(network, stream[time], states[index])
            states[index] = prediction.state
            if time == 2:
                assert torch.equal(prediction.logits[-1], alone[index])


def test_foreign_state_is_rejected(network):
    image, state = torch.randn(1, 1, 3, 48, 64), network.init_state(1, 48, 64)
    for foreign in (network.init_state(2, 48, 64), network.init_state(1, 64, 48),
                    {name: potential.double() for name, potential in state.items()}):
        with pytest.raises(ValueError, match='neuron .* the potential has'):
            run(network, image, foreign)
    name = next(iter(state))
    with pytest.raises(ValueError, match='1 of .* missing'):
        run(network, image, {k: v for k, v in state.items() if k != name})
    with pytest.raises(ValueError, match='1 are unknown'):
        run(network, image, {**state, 'other': state[name]})


class ExportedStep(nn.Module):
    """One step with plain tensors in and out, the form that torch.export takes."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image, state):
        prediction = self.network(image[None], state)
        return prediction.logits[-1][0], prediction.state


def test_export_with_state(network):
    step, state = ExportedStep(network), network.init_state(1, 48, 64)
    with torch.no_grad():
        exported = torch.export.export(step, (torch.zeros(1, 3, 48, 64), state)).module()
        found = expected = state
        for image in torch.randn(3, 1, 3, 48, 64):
            expected_logits, expected = step(image, expected)
            logits, found = exported(image, found)
            torch.testing.assert_close(logits, expected_logits)
            assert found.keys() == expected.keys()
            for name in expected:
                torch.testing.assert_close(found[name], expected[name])


def test_folded_norms_change_nothing(network):
    # In float64, rounding moves no potential across a threshold.
    images, double = torch.randn(2, 1, 3, 48, 64).double(), copy.deepcopy(network).double()
    folded = fold_norms(copy.deepcopy(double))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    expected, found = run(double, images), run(folded, images)
    torch.testing.assert_close(found.logits[-1], expected.logits[-1])


def test_every_parameter_learns(network):
    network.train()
    prediction = network(torch.randn(2, 2, 3, 48, 64))
    sum(scale.square().mean() for scale in prediction.logits).backward()
    dead = [name for name, p in network.named_parameters()
            if p.grad is None or not p.grad.isfinite().all()]
    network.zero_grad()
    network.eval()
    assert not dead


def test_firing_rates(network):
    images = torch.randn(1, 1, 3, 48, 64)
    with torch.no_grad():
        prediction = network(images, rates=True)
    neurons = {module.name for module in network.modules() if isinstance(module, Neuron)}
    assert prediction.rates.keys() == neurons
    for rate in prediction.rates.values():
        assert rate.shape == (images.shape[1],)
        assert 0 <= rate.min() and rate.max() <= network.config.levels
    assert not network(images).rates


def test_unknown_configuration():
    with pytest.raises(ValueError, match='choose from paper, fast, lite'):
        named_config('slow', classes=11)
