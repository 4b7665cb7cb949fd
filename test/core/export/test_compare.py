# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An exported file is compared with its network on frames; other files get one sentence."""

import onnx
import pytest

from mfs_seg_core.export.compare import main
from mfs_seg_core.export.onnx_model import onnx_model
from mfs_seg_core.export.properties import properties
from mfs_seg_core.weights.header import read_header


@pytest.fixture(scope='module')
def model(fusion, tmp_path_factory):
    """Return an exported file."""
    weights, _, step = fusion
    path = tmp_path_factory.mktemp('models') / 'step.onnx'
    onnx.save(onnx_model(step, 1, properties(step, read_header(weights).sha256)), path)
    return path


def test_masks_and_times_are_printed(model, fusion, capsys):
    assert main([str(model), '--weights', str(fusion[0]), '--frames', '3']) == 0
    head, torch, exported, native = capsys.readouterr().out.splitlines()
    assert torch.split()[:2] == ['torch', '100.00%'] and native.split()[0] == 'native'
    name, kept, once, _ = exported.split()
    assert name == 'step.onnx' and float(kept[:-1]) > 95 and float(once[:-1]) > 95


@pytest.mark.parametrize('content', [b'', b'no model', None])
@pytest.mark.parametrize('name', ['step.onnx', 'step.xml'])
def test_other_files_get_one_sentence(content, name, fusion, tmp_path, capsys):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert main([str(path), '--weights', str(fusion[0])]) == 1
    error = capsys.readouterr().err
    assert error.count('\n') == 1 and 'is no model that mfs-seg export has written' in error


def test_a_file_of_other_weights_gets_one_sentence(model, capsys):
    assert main([str(model), '--weights', 'street']) == 1
    assert 'was exported from other weights' in capsys.readouterr().err
