# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Block dynamical isometry: the estimate against whole Jacobians, and the claim itself."""

import json

import pytest
import torch
from torch import nn

from mfs_seg_core.analysis import isometry
from mfs_seg_core.analysis.isometry import calibrate, main, measure, of_stack, predict
from mfs_seg_core.model.baseline_blocks import NoShortcut
from mfs_seg_core.model.blocks import EFSRes
from mfs_seg_core.model.state import Membranes, Spiking


@pytest.fixture
def block():
    """A calibrated block with its input."""
    torch.manual_seed(0)
    block = EFSRes(4, 2, Spiking(4, 0.25, False))
    x = torch.randn(1, 1, 4, 6, 5)
    calibrate(block, lambda block: block(x, Membranes(None)))
    return block, x


def whole(function, x):
    """Return J J^T in full."""
    jacobian = torch.autograd.functional.jacobian(function, x).reshape(x.numel(), x.numel())
    return jacobian @ jacobian.T


def test_estimate_equals_the_whole_jacobian(block):
    block, x = block
    # With its small initial gain, the branch adds little to the shortcut.
    nn.init.ones_(block.project.norm.weight)
    product = whole(lambda x: block(x, Membranes(None)), x)
    phi = float(product.trace() / len(product))
    spread = float((product @ product).trace() / len(product)) - phi ** 2
    estimate = measure(lambda x: block(x, Membranes(None)), x, samples=1000)
    assert estimate.phi == pytest.approx(phi, rel=0.03) and phi > 1.1
    assert estimate.spread == pytest.approx(spread, rel=0.15) and spread > 0.1


def test_linear_maps_by_hand():
    assert measure(lambda x: 3 * x, torch.zeros(50), 2000) == (
        pytest.approx(9, rel=0.03), pytest.approx(0, abs=3))
    # Singular values 1 and 0, in halves: mean 1/2, mean of squares 1/2, spread 1/4.
    mask = torch.arange(1000.) % 2
    phi, spread = measure(lambda x: mask * x, torch.zeros(1000), 200)
    assert phi == pytest.approx(0.5, abs=0.02) and spread == pytest.approx(0.25, abs=0.02)


def test_prediction_at_initialisation():
    """With random weights and an input of independent channels, the prediction is near."""
    torch.manual_seed(1)
    block = EFSRes(48, 2, Spiking(4, 0.25, False))
    x = torch.randn(1, 2, 48, 24, 24)
    calibrate(block, lambda block: block(x, Membranes(None)))
    measured = measure(lambda x: block(x, Membranes(None)), x, 16).phi
    assert predict(block, x) - 1 == pytest.approx(measured - 1, rel=0.2)
    assert 1.02 < measured < 1.2


@pytest.mark.parametrize('levels', [1, 4])
def test_stacks_of_efs_res_stay_near_one_and_plain_ones_do_not(levels, monkeypatch):
    monkeypatch.setattr(isometry, 'STACK_SIZE', (12, 16))
    phis = of_stack(8, 16, levels, 4)
    assert 1 < phis['efs_res'][-1] < 2.5
    assert not 0.2 < phis['plain'][-1] < 5


def test_plain_is_the_branch(block):
    block, x = block
    plain = NoShortcut(4, 2, Spiking(4, 0.25, False)).eval()
    plain.load_state_dict(block.state_dict())
    with torch.no_grad():
        difference = block(x, Membranes(None)) - plain(x, Membranes(None))
    torch.testing.assert_close(difference, x)


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(isometry, 'SIZE', (120, 90))
    monkeypatch.setattr(isometry, 'STACK_SIZE', (12, 16))
    assert main(['--config', 'fast', '--frames', '1', '--samples', '1', '--depth', '2',
                 '--json', str(tmp_path / 'isometry.json')]) == 0
    out, errors = capsys.readouterr()
    assert not errors and out.count('encoder.2.') == 6 and 'phi of 1 to 2 blocks, plain: ' in out
    result = json.loads((tmp_path / 'isometry.json').read_text())
    assert result['command'].startswith('mfs-seg isometry --config fast')
    assert len(result['blocks']) == 8 and len(result['stacks']['plain']) == 2
    assert all(0.9 < row['phi'] < 1.3 for row in result['blocks'].values())


def test_misuse(capsys):
    assert main(['--weights', 'nowhere']) == 1
    assert 'no weights' in capsys.readouterr().err
