# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fused layers compute what torch's layers compute: outputs, gradients and running statistics."""

import copy

import pytest
import torch
from torch.nn import functional

from mfs_seg_core.engine.library import EngineUnavailableError
from mfs_seg_core.engine.training import TrainingKernels, training_kernels
from mfs_seg_core.labels import UNLABELLED
from mfs_seg_core.model.batch_norm import ThresholdBatchNorm
from mfs_seg_core.model.blocks import Conv
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.model.state import Neuron, Spiking
from mfs_seg_core.train import fused, fused_layers
from mfs_seg_core.train.fused_layers import FusedConv, FusedNeuron, FusedNorm, NormedNeuron, fuse
from mfs_seg_core.train.loss import scale_loss
from mfs_seg_core.weights.file import build

# The last one is several units of work.
SHAPES = [(3, 3, 2, 1), (3, 11, 5, 7), (1, 48, 13, 16), (2, 8, 90, 61)]
# Few elements: where a potential lies at a threshold, rounding decides.
NEURONS = [(3, 3, 2, 1), (3, 11, 3, 4), (1, 48, 3, 2)]
CLOSE = dict(rtol=2e-5, atol=2e-5)


@pytest.fixture(params=['avx512', 'avx2', 'portable'])
def kernels(request, monkeypatch):
    try:
        chosen = TrainingKernels(request.param)
    except EngineUnavailableError as error:
        # Plain C++ runs everywhere.
        if request.param == 'portable':
            raise
        pytest.skip(str(error))
    monkeypatch.setattr(fused, 'training_kernels', lambda: chosen)


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def noise(*shape, memory_format=torch.channels_last):
    return torch.randn(shape).contiguous(memory_format=memory_format)


def gradients(outputs, inputs):
    """Return the gradients of the inputs by random gradients of the outputs."""
    torch.manual_seed(1)
    return torch.autograd.grad(outputs, inputs, [torch.randn_like(each) for each in outputs])


def pair(kind, *arguments):
    """Return a layer in training mode, and a fused one of the same weights."""
    plain = kind(*arguments).train()
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.uniform_(0.2, 0.9)
    other = copy.deepcopy(plain)
    assert fuse(other)
    return plain, other


@pytest.mark.parametrize('shape', SHAPES)
def test_norm(kernels, shape):
    torch.manual_seed(0)
    plain, other = pair(ThresholdBatchNorm, shape[1], 4)
    assert isinstance(other, FusedNorm)
    for _ in range(2):
        # Means that are large against the deviations.
        x = (noise(*shape) + 30 * torch.randn(shape[1])[:, None, None]).requires_grad_()
        results = [norm(x) for norm in (plain, other)]
        torch.testing.assert_close(*results, rtol=1e-4, atol=1e-4)
        assert results[1].stride() == x.stride()
        for theirs, ours in zip(*(gradients([y], [x, *norm.parameters()])
                                  for y, norm in zip(results, (plain, other)))):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)
        for name, tensor in plain.state_dict().items():
            torch.testing.assert_close(other.state_dict()[name], tensor)


@pytest.mark.parametrize('shape', NEURONS)
@pytest.mark.parametrize('levels, signed', [(1, False), (2, False), (4, True), (8, False)])
@pytest.mark.parametrize('learned', [True, False])
@pytest.mark.parametrize('elapsed', ['rest', 'nominal', 'number', 'streams'])
@pytest.mark.parametrize('with_norm', [True, False])
def test_neurons(shape, levels, signed, learned, elapsed, with_norm):
    torch.manual_seed(0)
    plain, other = pair(Neuron, shape[1], Spiking(levels, 0.4, learned), signed)
    assert isinstance(other, FusedNeuron)
    norms = pair(ThresholdBatchNorm, shape[1], levels)
    x = (levels * noise(*shape)).requires_grad_()
    potential = None if elapsed == 'rest' else noise(*shape).requires_grad_()
    time = {'number': 0.7, 'streams': torch.rand(shape[0], 1, 1, 1) + 0.5}.get(elapsed, 1.0)
    spikes, after, rates = plain.fire((norms[0](x) if with_norm else x)[None], potential, time,
                                      True)
    layer = NormedNeuron(norms[1], other) if with_norm else other
    ours, ours_after, ours_rates = layer.fire(x[None], potential, time, True)
    torch.testing.assert_close(ours_rates, rates)
    torch.testing.assert_close(ours, spikes)
    torch.testing.assert_close(ours_after, after, **CLOSE)
    assert ours.stride() == spikes.stride() and ours_after.stride() == after.stride()
    shared = [x] if potential is None else [x, potential]
    for outputs in (0,), (0, 1), (1,):
        results = []
        for both, parts in (((ours, ours_after), [norms[1], other]),
                            ((spikes, after), [norms[0], plain])):
            # A leak has no part in a step from rest, and a norm none without one.
            weights = [weight for part, used in zip(parts, (with_norm, potential is not None))
                       for weight in part.parameters() if used]
            torch.manual_seed(1)
            results.append(torch.autograd.grad(
                [both[i] for i in outputs], shared + weights,
                [torch.randn(shape)[None] if i == 0 else torch.randn(shape) for i in outputs],
                retain_graph=True))
        for mine, theirs in zip(*results):
            torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-4 * theirs.abs().max())


def test_kernels_of_neurons(kernels):
    """All sets of instructions; the cases of test_neurons run by the best one."""
    for shape in NEURONS:
        test_neurons(shape, 4, True, True, 'streams', True)
    for shape in SHAPES:
        test_neurons(shape, 1, False, True, 'streams', False)


@pytest.mark.parametrize('size', [3, 5, 7])
@pytest.mark.parametrize('shape', [(2, 3, 1, 1), (1, 11, 2, 9), (3, 72, 13, 3), (2, 16, 23, 30)])
def test_depthwise(kernels, shape, size):
    torch.manual_seed(0)
    channels = shape[1]
    plain, other = pair(lambda: Conv(channels, channels, size, padding=size // 2, groups=channels,
                                     bias=False))
    assert isinstance(other, FusedConv)
    x = noise(*shape).requires_grad_()
    results = [conv(x) for conv in (plain, other)]
    torch.testing.assert_close(*results, **CLOSE)
    for theirs, ours in zip(*(gradients([y], [x, conv.weight])
                              for y, conv in zip(results, (plain, other)))):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('arguments', [dict(stride=2, padding=1, groups=8), dict(groups=8),
                                       dict(padding=1, groups=4), dict(padding=1)])
def test_other_convolutions_are_those_of_torch(arguments):
    plain, other = pair(lambda: Conv(8, 8, 3, bias=False, **arguments))
    x = noise(2, 8, 6, 5)
    assert torch.equal(other(x), plain(x))


@pytest.mark.parametrize('classes', [2, 11, 19])
@pytest.mark.parametrize('size', [(1, 1), (5, 7), (90, 120)])
def test_cross_entropy(kernels, classes, size):
    torch.manual_seed(0)
    scores = (10 * noise(2, classes, *size)).requires_grad_()
    labels = torch.randint(0, classes, (2, *size), dtype=torch.uint8)
    labels[1, 0, 0] = UNLABELLED
    weights = torch.rand(classes) + 0.1
    loss, pixels = fused.cross_entropy(scores, labels, weights, UNLABELLED)
    expected = functional.cross_entropy(scores, labels.long(), weights, ignore_index=UNLABELLED,
                                        reduction='sum')
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(pixels, weights[labels[labels != UNLABELLED].long()].sum())
    ours, theirs = (torch.autograd.grad(each / 3, scores)[0] for each in (loss, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_unknown_label():
    labels = torch.full((1, 2, 3), 4, dtype=torch.uint8)
    with pytest.raises(IndexError, match='6 pixels have labels of no class'):
        fused.cross_entropy(noise(1, 4, 2, 3), labels, torch.ones(4), UNLABELLED)


def test_a_loss_that_is_not_finite_shows():
    """As in torch, so that training stops."""
    x = noise(1, 8, 4, 5)
    x[0, 3, 2, 1] = float('nan')
    spikes, after, _ = fused.fused_layer(x, spikes=fused.Spikes(4, 0))
    assert spikes.isnan().sum() == after.isnan().sum() == 1
    labels = torch.zeros(1, 4, 5, dtype=torch.uint8)
    assert fused.cross_entropy(x, labels, torch.ones(8), UNLABELLED)[0].isnan()


def networks(seed=0, model='fast', **changes):
    """Return a small network with random weights, and a fused copy."""
    torch.manual_seed(seed)
    small = dict(widths=(4, 6, 9), kernels=((), (3,), (5,))) if model == 'fast' else dict(
        encoder=((1, 3, 1, 1, 4), (1, 3, 2, 2, 6), (1, 5, 2, 2, 8)), decoder_widths=(4, 6),
        decoder_kernels=((), (3,), (5,)))
    config = named_config(model, 5, **{**small, **changes})
    network = build(config).to(memory_format=torch.channels_last).train()
    other = copy.deepcopy(network)
    assert fuse(other)
    return network, other


def two_steps(network, seed, fused_loss=False):
    """Return loss, state and firing rates of two steps, with gradients through the state."""
    torch.manual_seed(seed)
    size, channels = (13, 18), (network.config.inputs, network.config.events)
    # As in training, the channels of images are last.
    images, events = (torch.randn(2, 2, *size, count).permute(0, 1, 4, 2, 3) if count else None
                      for count in channels)
    label = torch.randint(0, 5, (2, *size), dtype=torch.uint8)
    state, loss = None, 0.0
    for t, elapsed in enumerate((1.0, torch.tensor([0.7, 1.6]))):
        prediction = network(images[t:t + 1], state, True, elapsed,
                             None if events is None else events[t:t + 1])
        state = prediction.state
        loss = loss + scale_loss(prediction.logits, label, (0.3, 0.3, 1.0), torch.ones(5),
                                 fused_loss)
    loss.backward()
    return loss.detach(), state, prediction.rates


@pytest.mark.parametrize('changes', [
    dict(levels=1), dict(levels=4), dict(levels=8, learn_leak=False), dict(levels=4, events=4),
    dict(levels=2, block='ms_res'), dict(model='lite')], ids=str)
def test_network(changes):
    """A spike at a threshold changes all that follows, so of some networks one may differ."""
    differences = []
    for seed in range(4):
        plain, other = networks(seed, **changes)
        expected, found = two_steps(plain, seed), two_steps(other, seed, fused_loss=True)
        try:
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
            ours, theirs = ({name: weight.grad for name, weight in network.named_parameters()}
                            for network in (other, plain))
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)
            torch.testing.assert_close(other.state_dict(), plain.state_dict())
        except AssertionError as error:
            differences.append(str(error))
    assert len(differences) <= 1, differences


def test_evaluation_is_that_of_torch():
    plain, other = networks()
    images = torch.randn(1, 2, 31, 45, 3).permute(0, 1, 4, 2, 3)
    with torch.no_grad():
        for theirs, ours in zip(plain.eval()(images).logits, other.eval()(images).logits):
            assert torch.equal(ours, theirs)


def test_weights_fit_both():
    plain, other = networks()
    assert type(other) is type(plain) is MFSSeg
    two_steps(other, 0)
    assert list(other.state_dict()) == list(plain.state_dict())
    plain.load_state_dict(other.state_dict())
    other.load_state_dict(plain.state_dict())


@pytest.mark.parametrize('count', [2, 3])
def test_the_number_of_threads_changes_nothing(threads, count):
    """Of a layer: torch's own matrix products may depend on it."""
    results = []
    for threads_used in (1, count):
        torch.manual_seed(0)
        threads(threads_used)
        _, neuron = pair(Neuron, 24, Spiking(4, 0.4, True))
        _, norm = pair(ThresholdBatchNorm, 24, 4)
        x, potential = noise(3, 24, 61, 47).requires_grad_(), noise(3, 24, 61, 47)
        spikes, after, rates = NormedNeuron(norm, neuron).fire(x[None], potential, 1.0, True)
        weight = torch.randn(24, 1, 5, 5, requires_grad=True)
        y = fused.depthwise(spikes[0], weight)
        labels = torch.zeros(3, 61, 47, dtype=torch.uint8)
        loss, _ = fused.cross_entropy(y, labels, torch.ones(24), UNLABELLED)
        results.append([loss, spikes, after, rates, *torch.autograd.grad(
            loss + after.sum(), [x, weight, *norm.parameters(), *neuron.parameters()])])
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*results))


@pytest.mark.parametrize('change', [
    dict(memory_format=torch.contiguous_format), dict(dtype=torch.float64),
    dict(dtype=torch.bfloat16)])
def test_other_tensors_take_the_layers_of_torch(change):
    """Memory format and dtype of the result are those of the current."""
    dtype = change.pop('dtype', torch.float32)
    plain, other = pair(Neuron, 8, Spiking(4, 0.4, True))
    norms = pair(ThresholdBatchNorm, 8, 4)
    x, potential = (noise(2, 8, 5, 6, **change).to(dtype) for _ in range(2))
    for layer in (*norms, plain, other):
        layer.to(dtype)
    *expected, none = plain.fire(norms[0](x)[None], potential, 1.0, False)
    *found, no_rates = NormedNeuron(norms[1], other).fire(x[None], potential, 1.0, False)
    assert none is no_rates is None
    for theirs, ours in zip(expected, found):
        assert torch.equal(ours, theirs)
        assert ours.dtype == dtype and ours.stride() == theirs.stride()


def test_autocast_takes_the_layers_of_torch():
    plain, other = networks()
    images = torch.randn(1, 2, 16, 24, 3).permute(0, 1, 4, 2, 3)
    with torch.autocast('cpu', torch.bfloat16):
        for theirs, ours in zip(plain(images).logits, other(images).logits):
            assert torch.equal(ours, theirs)


def test_a_potential_that_does_not_fit():
    _, other = pair(Neuron, 8, Spiking(4, 0.4, True))
    with pytest.raises(ValueError, match='the potential has shape'):
        other.fire(noise(2, 8, 5, 6)[None], noise(1, 8, 5, 6), 1.0, False)


def test_a_single_value_has_no_variance():
    _, norm = pair(ThresholdBatchNorm, 4, 4)
    with pytest.raises(ValueError, match='more than 1 value per channel'):
        norm(noise(1, 4, 1, 1))


def test_without_the_library(monkeypatch):
    def missing():
        raise EngineUnavailableError('it was not built')

    monkeypatch.setattr(fused_layers, 'training_kernels', missing)
    network = build(named_config('fast', 5))
    kinds = [type(module) for module in network.modules()]
    assert not fuse(network)
    assert [type(module) for module in network.modules()] == kinds


def test_unknown_kernels():
    with pytest.raises(EngineUnavailableError, match="no training kernels 'mmx'.*portable"):
        TrainingKernels('mmx')
    assert training_kernels().name in ('avx512', 'avx2', 'portable')
