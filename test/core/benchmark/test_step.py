# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of a step: its figures, its peers, and the parts of a step."""

import itertools
import json
import sys
import time

import numpy as np
import pytest
import torch
from torch import nn

from mfs_seg_core.benchmark import step as module
from mfs_seg_core.benchmark.__main__ import main
from mfs_seg_core.benchmark.fast_scnn import FastSCNN
from mfs_seg_core.benchmark.step import _folded, _in_openvino, _Scores
from mfs_seg_core.benchmark.step_parts import (
    CALLS,
    CLASSES,
    DEPTHWISE,
    KINDS,
    NEURONS,
    PRODUCTS,
    parts,
)
from mfs_seg_core.engine.library import EngineUnavailableError, library
from mfs_seg_core.model.blocks import Head
from mfs_seg_core.model.state import Neuron
from mfs_seg_core.model.unet import UNet, UNetConfig
from mfs_seg_core.weights.file import load_weights


@pytest.fixture
def small(monkeypatch, threads):
    """Benchmark small images without OpenVINO."""
    monkeypatch.setattr(module, 'SIZES', ((64, 48),))
    monkeypatch.setattr(module, 'THREADS', (2,))
    monkeypatch.setattr(module, '_has_openvino', lambda: False)


def test_figures(small, tmp_path, capsys):
    pytest.importorskip('matplotlib', reason='no matplotlib: pip install "mfs_seg_ros[plots]"')
    picture = tmp_path / 'step.png'
    assert main(['step', '--rounds', '2', '--json', str(tmp_path / 'step.json'),
                 '--picture', str(picture)]) == 0
    assert picture.read_bytes().startswith(b'\x89PNG')
    out = capsys.readouterr().out
    assert f'Kernels of the native engine: {library().choose()}' in out
    assert 'OpenVINO is not installed' in out
    written = json.loads((tmp_path / 'step.json').read_text())
    row, figures = written['rows'][0], written['step']
    assert (row['size'], row['threads']) == ([64, 48], 2)
    ms = row['ms']
    assert ms.keys() == {'ours, native', 'ours, torch', 'U-Net, torch', 'Fast-SCNN, torch'}
    assert figures == {
        'native_ms': ms['ours, native'], 'torch_ms': ms['ours, torch'],
        **{f'ratio_{key}': ms[name] / ms['ours, native'] for key, name in (
            ('torch', 'ours, torch'), ('unet', 'U-Net, torch'), ('fastscnn', 'Fast-SCNN, torch'))}}
    assert written['machine']['kernels'][0] == library().choose()
    assert sorted(written['machine']['kernels']) == sorted(library().kernels)
    for name, value in ms.items():
        assert f'| {name} | {value:.1f} |' in out
    for kind, value in written['parts']['torch'].items():
        assert f'| {kind} | {value:.2f} | ' in out


def test_ratios_are_to_the_best_of_each_peer():
    ms = {'ours, native': 2.0, 'ours, torch': 30.0, 'U-Net, torch': 500.0, 'U-Net, OpenVINO': 400.0,
          'Fast-SCNN, torch': 5.0, 'Fast-SCNN, OpenVINO': 6.0}
    assert module._ratios(ms) == {'native_ms': 2.0, 'torch_ms': 30.0, 'ratio_torch': 15.0,
                                  'ratio_unet': 200.0, 'ratio_fastscnn': 2.5}


def test_without_the_engine(small, monkeypatch, capsys):
    def missing():
        raise EngineUnavailableError('it was not built: build it')

    monkeypatch.setattr(module, 'library', missing)
    assert main(['step', '--rounds', '1']) == 0
    out = capsys.readouterr().out
    assert 'no native engine: it was not built: build it' in out
    assert 'ratio' not in out and 'native |' not in out


def test_without_matplotlib(small, monkeypatch, capsys):
    """Nothing is measured for a picture that cannot be drawn."""
    monkeypatch.setitem(sys.modules, 'matplotlib', None)
    assert main(['step', '--picture', 'step.png']) == 1
    read = capsys.readouterr()
    assert read.err.startswith('benchmark: plots need matplotlib') and not read.out


def test_wrong_rounds(capsys):
    assert main(['step', '--rounds', '0']) == 1
    assert capsys.readouterr().err == 'benchmark: --rounds must be 1 or more\n'


def test_parts(monkeypatch):
    """A clock that advances by 1 s at each look counts the layers of each kind."""
    frames = list(np.random.default_rng(0).integers(0, 256, (3, 48, 64, 3), np.uint8))
    with monkeypatch.context() as patch:
        clock = itertools.count()
        patch.setattr(time, 'perf_counter', lambda: next(clock))
        measured = parts('street', frames, 0.05, 1, native=True)
        assert parts('street', frames, 0.05, 1, native=False).keys() == {'torch'}
    # The stems are a kind of their own.
    layers = [module for name, module in load_weights('street')[0].named_modules()
              if name not in ('stem', 'events.stem')]
    convs = [x.conv for x in layers if isinstance(getattr(x, 'norm', None), nn.Module)
             or isinstance(x, Head)]
    depthwise = sum(conv.groups > 1 for conv in convs)
    times = measured['torch']
    assert times[NEURONS] == 1e3 * sum(isinstance(x, Neuron) for x in layers)
    assert times[DEPTHWISE] == 1e3 * depthwise
    assert times[PRODUCTS] == 1e3 * (len(convs) - depthwise)
    assert all(times[kind] > 0 for kind in set(KINDS) - {CALLS})
    # The engine measures its operations itself.
    assert measured['native'].keys() == set(KINDS) - {NEURONS, CLASSES}
    assert sum(measured['native'].values()) == pytest.approx(1e3)


@pytest.mark.parametrize('network', [FastSCNN(5), UNet(UNetConfig(5, width=4))])
def test_peers_without_norms_compute_the_same(network):
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            torch.manual_seed(0)
            nn.init.uniform_(norm.running_var, 0.5, 2)
            nn.init.normal_(norm.running_mean)
    scores = _Scores(network.eval(), isinstance(network, UNet))
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        before = scores(image)
        _folded(network)
        torch.testing.assert_close(scores(image), before, atol=1e-4, rtol=1e-4)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_peers_have_their_published_size():
    network = FastSCNN(19)
    assert sum(parameter.numel() for parameter in network.parameters()) == pytest.approx(
        1.11e6, rel=0.03)
    assert network(torch.zeros(2, 3, 45, 62)).shape == (2, 19, 45, 62)


def test_openvino_computes_the_same():
    pytest.importorskip('openvino', reason='no OpenVINO: pip install openvino')
    network, image = FastSCNN(5).eval(), torch.randn(1, 3, 64, 64)
    scores, = _in_openvino(network, image, threads=1)().values()
    torch.testing.assert_close(torch.from_numpy(scores.copy()), network(image).detach(),
                               atol=1e-4, rtol=1e-4)
