# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The neuron: pinned trajectories, gradients, SpikingJelly as a reference, wrong inputs."""

import pytest
import torch

from mfs_seg_core.model.neuron import LIF, lif_step

# Computed by hand, with a leak of 0.25: current, time since the step before, spike and potential.
BINARY = [
    (0.4, 1.0, 0, 0.4),      # below the threshold
    (0.32, 0.5, 1, 0.0),     # 0.25**0.5 * 0.4 + 0.32 = 0.52 fires: hard reset
    (-0.8, 1.0, 0, -0.8),    # inhibition
    (0.45, 2.0, 0, 0.4),     # 0.25**2 * -0.8 + 0.45
    (0.5, 1.0, 1, 0.0),      # 0.25 * 0.4 + 0.5 = 0.6 fires
]
INTEGER = [
    (1.7, 1.0, 2, -0.3),                 # 1.7 rounds up
    (0.7, 0.5, 1, -0.45),                # 0.25**0.5 * -0.3 + 0.7 = 0.55
    (9.0, 1.0, 4, 4.8875),               # 0.25 * -0.45 + 9 = 8.8875 saturates at 4 levels
    (0.0, 2.0, 0, 0.30546875),           # 0.25**2 * 4.8875
    (-1.0, 1.0, 0, -0.9236328125),       # 0.25 * 0.30546875 - 1
]
# Levels, and whether the neurons are signed.
KINDS = [(1, False), (4, False), (4, True)]


@pytest.mark.parametrize('levels, trajectory', [(1, BINARY), (4, INTEGER)])
@pytest.mark.parametrize('learned', [False, True])
def test_trajectory(levels, trajectory, learned):
    neuron, potential = LIF(levels, leak=0.25, channels=int(learned)), None
    for current, elapsed, spike, expected in trajectory:
        current = torch.full((1, 1, 1, 1), current)
        spikes, after = neuron(current, potential, elapsed)
        assert spikes.item() == spike
        assert after.item() == pytest.approx(expected, abs=1e-6)
        equation = lif_step(current, potential, 0.25 ** elapsed, levels)
        torch.testing.assert_close((spikes, after), equation)
        potential = after.detach()


def test_signed_trajectory():
    """Computed by hand, as above: negative currents fire negative spikes, down to -D."""
    neuron, potential = LIF(levels=4, leak=0.25, signed=True), None
    for current, spike, expected in ((-1.7, -2, 0.3), (0.7, 1, -0.225), (-9.0, -4, -5.05625),
                                     (1.5, 0, 0.2359375), (0.2, 0, 0.258984375)):
        spikes, potential = neuron(torch.full((1, 1, 1, 1), current), potential)
        assert spikes.item() == spike
        assert potential.item() == pytest.approx(expected, abs=1e-6)


def test_the_gradient_of_signed_neurons_passes_between_their_levels():
    currents = torch.tensor([[-5.0, -3.0, 0.2, 3.0, 5.0]] * 2, requires_grad=True)
    for run in (lambda x: LIF(4, signed=True)(x[0])[0], lambda x: LIF(4, signed=True).run(x)[0][0]):
        currents.grad = None
        run(currents).sum().backward()
        assert currents.grad[0].tolist() == [0, 1, 1, 1, 0]


def test_signed_neurons_need_levels():
    with pytest.raises(ValueError, match='levels above 1'):
        LIF(levels=1, signed=True)


def test_a_step_leaves_its_inputs_unchanged():
    current, potential = torch.tensor([1.7, 0.2]), torch.tensor([0.4, 0.8])
    for levels in (1, 4):
        lif_step(current, potential, 0.25, levels)
        lif_step(current, None, 0.25, levels)
    assert current.tolist() == pytest.approx([1.7, 0.2])
    assert potential.tolist() == pytest.approx([0.4, 0.8])


def test_binary_trajectory_of_run():
    """Computed by hand: charge below threshold, spike, hard reset, inhibition."""
    spikes, potential = LIF().run(torch.tensor([[0.4], [0.45], [0.1], [-1.0], [0.7]]))
    # 0.4 -> 0.25 * 0.4 + 0.45 = 0.55 fires -> 0.1 -> 0.025 - 1 -> -0.24375 + 0.7 = 0.45625
    assert spikes.flatten().tolist() == [0, 1, 0, 0, 0]
    assert potential.item() == pytest.approx(0.45625)


def test_integer_trajectory_of_run():
    """Computed by hand: several levels, soft reset, saturation."""
    spikes, potential = LIF(levels=4).run(torch.tensor([[1.7], [0.6], [9.0], [0.0]]))
    # 1.7 fires 2, v = -0.3; 0.6 - 0.075 = 0.525 fires 1, v = -0.475; 8.88125 fires 4,
    # v = 4.88125; 1.2203125 fires 1, v = 0.2203125
    assert spikes.flatten().tolist() == [2, 1, 4, 1]
    assert potential.item() == pytest.approx(0.2203125)


@pytest.mark.parametrize('levels', [1, 4, 8])
def test_spikes_are_integers(levels):
    spikes, _ = LIF(levels).run(3 * torch.randn(20, 100))
    assert set(spikes.unique().tolist()) == set(range(levels + 1))


@pytest.mark.parametrize('levels, signed', KINDS)
def test_steps_equal_run(levels, signed):
    neuron, currents = LIF(levels, signed=signed), torch.randn(7, 2, 3, 4, 5)
    together, last = neuron.run(currents)
    potential, alone = None, []
    for current in currents:
        spikes, potential = neuron(current, potential)
        alone.append(spikes)
    assert torch.equal(torch.stack(alone), together)
    assert torch.equal(potential, last)


@pytest.mark.parametrize('levels, signed', KINDS)
@pytest.mark.parametrize('channels', [0, 3])
@pytest.mark.parametrize('elapsed', [None, 0.7, torch.tensor([0.5, 2.0]).view(2, 1, 1, 1)])
def test_gradients_of_steps_equal_those_of_run(levels, signed, channels, elapsed):
    """Gradients of the currents, of the initial state (if any) and of the learned leaks."""
    neuron = LIF(levels, channels=channels, signed=signed)
    if channels:
        neuron.leak.data = torch.tensor([0.0, 0.3, 0.9]).view(3, 1, 1)
    currents = 2 * torch.randn(5, 2, 3, 6, 7, requires_grad=True)
    start = None if elapsed is None else torch.randn(2, 3, 6, 7, requires_grad=True)
    of_spikes, of_potential = torch.randn(5, 2, 3, 6, 7), torch.randn(2, 3, 6, 7)

    def alone():
        potential, spikes = start, []
        for index, current in enumerate(currents):
            spike, potential = neuron(current, potential, 1.0 if index else elapsed)
            spikes.append(spike)
        return torch.stack(spikes), potential

    inputs = [x for x in (currents, start, *neuron.parameters()) if x is not None]
    expected, found = [
        torch.autograd.grad((spikes * of_spikes).sum() + (last * of_potential).sum(), inputs)
        for spikes, last in (alone(), neuron.run(currents, start, elapsed))]
    for steps, run in zip(expected, found):
        torch.testing.assert_close(run, steps)


def test_run_keeps_the_layout_in_memory():
    currents = torch.randn(6, 4, 5, 5).to(memory_format=torch.channels_last).unflatten(0, (3, 2))
    spikes, potential = LIF().run(currents)
    assert spikes.stride() == currents.stride()
    assert potential.stride() == currents[0].stride()


def test_run_keeps_one_value_a_step_for_its_backward_pass():
    currents, kept = torch.randn(5, 2, 3, 4, 5, requires_grad=True), []
    with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda x: x):
        LIF().run(currents)
    assert sum(tensor.numel() for tensor in kept) == currents.numel()


@pytest.mark.parametrize('levels', [1, 4])
def test_surrogate_gradient_is_the_rectangle(levels):
    current = torch.linspace(-2, levels + 2, 101, requires_grad=True)
    spikes, _ = LIF(levels)(current)
    spikes.sum().backward()
    inside = (current > 0) & (current < levels)
    assert torch.equal(current.grad, inside.float())


def test_gradient_of_the_step_before_is_scaled_by_the_leak():
    past = torch.tensor([[0.3]], requires_grad=True)
    _, potential = LIF(leak=0.25)(past)
    spikes, _ = LIF(leak=0.25)(torch.tensor([[0.2]]), potential)
    spikes.sum().backward()
    assert past.grad.item() == pytest.approx(0.25)


def test_leak_follows_the_time_elapsed():
    """Two half steps without current decay the potential as one step does."""
    neuron, zeros = LIF(levels=4, leak=0.3), torch.zeros(2, 1)
    potential = torch.tensor([[-1.0], [0.4]])
    _, once = neuron(zeros, potential)
    for elapsed in (0.5, torch.tensor([[0.5], [0.5]])):
        _, half = neuron(zeros, potential, elapsed)
        torch.testing.assert_close(neuron(zeros, half, elapsed)[1], once)
    _, each = neuron(zeros, potential, torch.tensor([[1.0], [2.0]]))
    torch.testing.assert_close(each, torch.tensor([[-0.3], [0.4 * 0.09]]))


def test_learned_leaks():
    """Learned leaks start at the fixed leak, differ by channel and have gradients."""
    current, potential = 3 * torch.rand(2, 2, 5, 3, 3)
    neuron = LIF(levels=4, leak=0.25, channels=5)
    spikes, after = neuron(current, potential)
    for ours, fixed in zip((spikes, after), LIF(levels=4, leak=0.25)(current, potential)):
        torch.testing.assert_close(ours, fixed)
    spikes.sum().backward()
    assert (neuron.leak.grad > 0).all()
    with torch.no_grad():
        neuron.leak[2] = 0.0
        spikes, _ = neuron(current, potential, 2.0)
    assert torch.equal(spikes[:, 2], current[:, 2].round().clamp(max=4))
    torch.testing.assert_close(spikes[:, 1], LIF(4, 0.25 ** 2)(current, potential)[0][:, 1])


@pytest.mark.parametrize('levels', [1, 4])
@pytest.mark.parametrize('elapsed', [1.0, torch.tensor([0.5, 2.0]).view(2, 1, 1, 1)])
def test_the_dtype_is_kept(levels, elapsed):
    """In mixed precision the currents are bfloat16, the learned leaks float32."""
    neuron, potential = LIF(levels, channels=3), None
    currents = torch.randn(3, 2, 3, 4, 4, dtype=torch.bfloat16, requires_grad=True)
    for current in currents:
        spikes, potential = neuron(current, potential, elapsed)
        assert spikes.dtype == potential.dtype == torch.bfloat16
    together, potential = neuron.run(currents, potential, elapsed)
    assert together.dtype == potential.dtype == torch.bfloat16
    (together.sum() + potential.sum()).backward()
    assert currents.grad.isfinite().all() and neuron.leak.grad.isfinite().all()


@pytest.mark.parametrize('potential', [
    torch.zeros(1, 3, 4, 4), torch.zeros(2, 3, 4, 5), torch.zeros(2, 3, 4, 4, dtype=torch.float64)])
def test_foreign_potential_is_rejected(potential):
    with pytest.raises(ValueError, match='potential has'):
        LIF()(torch.zeros(2, 3, 4, 4), potential)


@pytest.mark.parametrize('settings', [{'levels': 0}, {'leak': -0.1}, {'leak': 1.5}])
def test_wrong_settings(settings):
    with pytest.raises(ValueError, match='must'):
        LIF(**settings)


def test_equals_spikingjelly():
    """SpikingJelly's LIF with decay_input=False and tau = 1 / (1 - leak) is the same neuron."""
    reason = 'SpikingJelly is not installed: scripts/setup.sh installs it'
    neurons = pytest.importorskip('spikingjelly.activation_based.neuron', reason=reason)
    theirs = neurons.LIFNode(tau=1 / (1 - 0.25), decay_input=False, v_threshold=0.5, v_reset=0.0)
    currents, ours, potential = torch.randn(50, 4, 100), LIF(leak=0.25), None
    for current in currents:
        spikes, potential = ours(current, potential)
        assert torch.equal(spikes, theirs(current))
        torch.testing.assert_close(potential, theirs.v)
