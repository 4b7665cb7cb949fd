# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Activation checkpointing: the backward pass computes activations again instead of storing them.

It requires layers that return the same values again. Ours do, as their state is an argument. A
neuron with hidden state takes another step instead, from the state after the forward pass, and the
gradients are silently wrong.
"""

import pytest
import torch
from support.untrained import untrained
from torch import nn
from torch.utils.checkpoint import checkpoint

from mfs_seg_core.model.neuron import LIF

STREAM = (2, 3, 4, 6, 6)  # two consecutive steps of [B, C, H, W]


class Explicit(nn.Module):
    """Convolution, neuron, convolution; state in, state out."""

    def __init__(self):
        super().__init__()
        self.enter, self.lif, self.leave = nn.Conv2d(4, 4, 3), LIF(leak=0.25), nn.Conv2d(4, 4, 3)

    def forward(self, x, potential=None):
        spikes, potential = self.lif(self.enter(x), potential)
        return self.leave(spikes), potential


def direct(layer, *inputs):
    return layer(*inputs)


def checkpointed(layer, *inputs):
    return checkpoint(layer, *inputs, use_reentrant=False)


def gradients(network, loss):
    return torch.cat([gradient.flatten() for gradient
                      in torch.autograd.grad(loss, list(network.parameters()))])


def test_explicit_state():
    torch.manual_seed(0)
    network, stream = Explicit(), 2 * torch.randn(STREAM)

    def learn(call):
        potential, loss = None, 0.0
        for x in stream:
            y, potential = call(network, x, potential)
            loss = loss + y.square().sum()
        return gradients(network, loss)

    expected = learn(direct)
    assert expected.any()
    assert torch.equal(learn(checkpointed), expected)


def test_hidden_state():
    """Control: SpikingJelly's neuron, equal to ours without checkpointing, fails with it."""
    reason = 'SpikingJelly is not installed: scripts/setup.sh installs it'
    neurons = pytest.importorskip('spikingjelly.activation_based.neuron', reason=reason)
    from spikingjelly.activation_based.surrogate import Rect

    torch.manual_seed(0)
    ours, stream = Explicit(), 2 * torch.randn(STREAM)
    theirs = neurons.LIFNode(tau=1 / (1 - 0.25), decay_input=False, v_threshold=0.5, v_reset=0.0,
                             surrogate_function=Rect(alpha=1.0), detach_reset=True)
    network = nn.Sequential(ours.enter, theirs, ours.leave)

    def learn(call):
        theirs.reset()
        loss = sum(call(network, x).square().sum() for x in stream)
        return gradients(network, loss)

    potential, loss = None, 0.0
    for x in stream:
        y, potential = ours(x, potential)
        loss = loss + y.square().sum()
    expected = learn(direct)
    torch.testing.assert_close(expected, gradients(ours, loss))
    error = (learn(checkpointed) - expected).norm() / expected.norm()
    assert error > 0.01


@pytest.mark.parametrize('config', ['paper', 'fast'])
def test_whole_network(config):
    """Two calls of T = 2 steps each, the second from the state of the first."""
    network, images = untrained(config), torch.randn(2, 2, 1, 3, 33, 40)

    def learn(call):
        state, loss = None, 0.0
        for steps in images:
            logits, state, _ = call(network, steps, state)
            loss = loss + sum(scale.square().mean() for scale in logits)
        return gradients(network, loss)

    torch.testing.assert_close(learn(checkpointed), learn(direct))
