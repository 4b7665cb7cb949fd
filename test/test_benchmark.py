# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark compares like with like, and runs without its peers too."""

import sys

import pytest
import torch

from mfs_seg_core import benchmark

SMALL = ['train-step', '--shape', '3', '2', '4', '5', '5', '--rounds', '1']


def test_peers_compute_the_same():
    reason = 'SpikingJelly is not installed: scripts/setup.sh installs it'
    pytest.importorskip('spikingjelly.activation_based.neuron', reason=reason)
    theirs = benchmark.spikingjelly_layers()
    for kind, ours in benchmark.our_layers().items():
        results = []
        for layer in (ours, theirs[kind]):
            torch.manual_seed(0)
            currents = torch.randn(5, 2, 3, 8, 8, requires_grad=True)
            spikes = layer(currents)
            spikes.backward(torch.randn_like(spikes))
            results.append((spikes, currents.grad))
        torch.testing.assert_close(*results)


def test_kept_memory():
    """A function that keeps its input (as sin does) and one that keeps nothing."""
    currents = torch.randn(2, 3, 4, 5, 6)
    assert benchmark.kept_bytes(torch.sin, currents) == currents.nbytes
    assert benchmark.kept_bytes(lambda x: x + 1, currents) == 0


def test_without_spikingjelly(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'spikingjelly', None)
    monkeypatch.setitem(sys.modules, 'spikingjelly.activation_based', None)
    assert benchmark.main(SMALL) == 0
    out = capsys.readouterr().out
    assert 'SpikingJelly is not installed' in out and out.count(' ours ') == 2
    assert 'SpikingJelly / ours' not in out


def test_wrong_options(capsys):
    assert benchmark.main([*SMALL, '--rounds', '0']) == 1
    assert '1 or more' in capsys.readouterr().err
