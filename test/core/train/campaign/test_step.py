# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One optimiser step: loss, state between frames, averaged weights, rates of parameters."""

import contextlib
import types

import pytest
import torch
from support.street_campaign import SIZE, marked_sequences
from support.untrained import untrained
from torch import nn
from torch.nn import functional

from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.stateful import Prediction
from mfs_seg_core.train.campaign.batch import Batch
from mfs_seg_core.train.campaign.networks import describe
from mfs_seg_core.train.campaign.sequence_batches import SequenceClips
from mfs_seg_core.train.campaign.stage import Stage
from mfs_seg_core.train.campaign.step import OptimiserStep
from mfs_seg_core.weights.file import build

CLASSES, BATCH = 3, 2
WEIGHTS = torch.tensor([1.0, 2.0, 0.5])


class Scores(nn.Module):
    """Scores of each pixel; records the state and the time that it gets."""

    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.conv = nn.Conv2d(3, CLASSES, 1)
        self.calls = []

    def forward(self, image, state=None, elapsed=1.0):
        self.calls.append((state, elapsed))
        return Prediction((self.conv(image[0])[None],), {'potential': len(self.calls)}, {})


def step_of(network, teacher=None, frames=1, **settings):
    """Return a step on fixed pixels, these pixels, and their labels, half of a frame void."""
    torch.manual_seed(1)
    pixels = torch.randn(frames, BATCH, 3, 8, 8)
    labels = torch.randint(0, CLASSES, (frames, BATCH, 8, 8))
    labels[..., :4] = 255
    elapsed = torch.tensor([0.5, 3.0])
    stage = Stage('x', 'lite', batch_size=BATCH, frames=frames, **settings)
    step = OptimiserStep(stage, network, teacher, lambda _: Batch(pixels, labels, elapsed), WEIGHTS)
    return step, pixels, labels


def take(step, progress=0.5, number=0):
    step(torch.arange(BATCH), progress, number)


@pytest.mark.parametrize('distil', [0.0, 0.25])
def test_the_loss_is_of_known_pixels_weighted_by_class_and_teacher(distil):
    network, teacher = Scores(1), Scores(2) if distil else None
    step, pixels, labels = step_of(network, teacher, distil=distil, temperature=3.0)
    with torch.no_grad():
        scores = network.conv(pixels[0])
        expected = functional.cross_entropy(scores[..., 4:], labels[0][..., 4:], WEIGHTS)
        if distil:
            given, wanted = ((net.conv(pixels[0])[..., 4:] / 3).log_softmax(1)
                             for net in (network, teacher))
            distance = functional.kl_div(given, wanted, log_target=True, reduction='none')
            expected = (1 - distil) * expected + distil * 9 * distance.sum(1).mean()
    take(step)
    assert step.loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_frames_keep_the_state_and_have_the_times_between_them():
    network = Scores(1)
    take(step_of(network, frames=3)[0])
    states, times = zip(*network.calls)
    assert states == (None, {'potential': 1}, {'potential': 2})
    assert times[0] == 1.0 and all(each.tolist() == [0.5, 3.0] for each in times[1:])


@pytest.mark.parametrize('number, share', [(0, 0.9), (10**6, 0.25)])
def test_averaged_weights_follow_those_of_the_network(number, share):
    network = Scores(1)
    step, *_ = step_of(network, ema=0.75)
    before = network.conv.weight.detach().clone()
    take(step, number=number)
    after = network.conv.weight.detach()
    assert not torch.equal(before, after)
    torch.testing.assert_close(step.averaged.conv.weight, before + share * (after - before))


def test_rates_of_the_parameters():
    network = untrained('lite').train()
    step, *_ = step_of(network, learning_rate=0.1, encoder_rate=0.5, weight_decay=0.3)
    groups = {id(each): group for group in step.optimiser.param_groups for each in group['params']}
    step._set_rate(0.1)
    for name, parameter in network.named_parameters():
        group = groups[id(parameter)]
        assert group['lr'].item() == pytest.approx(
            0.05 if name.startswith(('stem.', 'encoder.')) else 0.1), name
        assert group['weight_decay'] == (0.3 if 'conv.weight' in name else 0.0), name


def test_the_encoder_of_another_network_has_the_full_rate():
    step, *_ = step_of(untrained('fast').train(), encoder_rate=0.5)
    assert set(step.factors) == {1.0}


def test_the_rate_warms_up_and_falls_to_zero():
    step, *_ = step_of(Scores(1), learning_rate=0.1)
    rates = []
    for progress in (0.0, 0.025, 0.1, 0.5, 1.0):
        take(step, progress)
        rates.append(step.optimiser.param_groups[0]['lr'].item())
    assert 0 < rates[0] < 0.01 and rates[1] == pytest.approx(0.052)
    assert rates[2:] == pytest.approx([0.09755, 0.05, 0.0], abs=1e-4)


class Counter(nn.Module):
    """Scores of each pixel, and a potential that counts the steps of each stream."""

    config = types.SimpleNamespace(inputs=3)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, CLASSES, 1)

    def forward(self, image, state=None, elapsed=1.0):
        count = torch.zeros(image.shape[1], 1, 1, 1) if state is None else state['count']
        return Prediction((self.conv(image[0])[None],), {'count': count + 1}, {})


def test_streams_keep_their_state(monkeypatch):
    monkeypatch.setattr('mfs_seg_core.train.campaign.step.REST_SHARE', 0.0)
    step, *_ = step_of(Counter(), frames=2, carry=True, crop=(8, 8))
    plain = step.batches(None)
    for follows, expected in (([False, False], [2, 2]), ([True, False], [4, 2]),
                              ([True, True], [6, 4])):
        batch = plain._replace(follows=torch.tensor(follows))
        step.batches = lambda _, batch=batch: batch
        take(step)
        assert step._state['count'].flatten().tolist() == expected


def test_some_streams_are_reset():
    step, *_ = step_of(Counter(), frames=1, carry=True, crop=(8, 8))
    step._state['count'] += 1
    torch.manual_seed(0)
    kept = torch.cat([step._carried(torch.tensor([True, True]))['count'] for _ in range(400)])
    assert 0.85 < kept.mean() < 0.95
    assert not step._carried(torch.tensor([False, False]))['count'].any()


def sequence_step(folder, device, model='lite', **settings):
    """Return a step of a network of both sensors on sequences, on a device."""
    sequences = marked_sequences(folder)
    for name in ('images', 'labels', 'events', 'steps_s'):
        setattr(sequences, name, getattr(sequences, name).to(device))
    stage = Stage('x', model, size=SIZE, crop=SIZE, batch_size=2, **settings)
    metadata = describe(stage, CAMVID, 2)
    clips = SequenceClips(stage, sequences, metadata, device)
    teacher = build(named_config('lite_twin', 11, events=4)).eval().to(device)
    network = build(metadata.config).train().to(device, memory_format=torch.channels_last)
    return OptimiserStep(stage, network, teacher, clips, torch.ones(11, device=device))


@pytest.mark.parametrize('settings', [{'frames': 2, 'carry': True}, {'frames': 2},
                                      {'frames': 1, 'model': 'lite_twin'}])
def test_no_value_leaves_the_device(tmp_path, monkeypatch, settings):
    """A CUDA graph cannot be captured where one does. Tensors of the device meta have none."""
    monkeypatch.setattr(torch, 'autocast', lambda *_, **__: contextlib.nullcontext())
    step = sequence_step(tmp_path, 'meta', **settings)
    # The optimiser of a GPU is another one, made for graphs.
    monkeypatch.setattr(step.optimiser, 'step', lambda: None)
    step._step()
    assert all(parameter.grad is not None for name, parameter in step.network.named_parameters()
               if 'conv' in name)


def test_a_step_in_bfloat16(tmp_path, monkeypatch):
    """On a GPU, currents, potentials and those of the step before have 16 bits."""
    monkeypatch.setattr(OptimiserStep, '_autocast',
                        lambda self: torch.autocast('cpu', torch.bfloat16))
    step = sequence_step(tmp_path, 'cpu', frames=2, carry=True, distil=0.5)
    for places in ([0, 4], [1, 5]):
        step(torch.tensor(places), 0.5, 0)
        assert step.loss.isfinite()
    assert {potential.dtype for potential in step._state.values()} == {torch.bfloat16}
    assert any(potential.any() for potential in step._state.values())
    assert all(potential.is_contiguous(memory_format=torch.channels_last)
               for potential in step._state.values())
