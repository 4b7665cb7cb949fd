# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmark of training with fused layers, on a small image."""

import json

import torch

from mfs_seg_core.benchmark import training as training_module
from mfs_seg_core.benchmark.__main__ import main
from mfs_seg_core.engine.library import EngineUnavailableError
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.config import named_config
from mfs_seg_core.train.fused_layers import fuse
from mfs_seg_core.weights.file import build


def test_training(monkeypatch, tmp_path, capsys, threads):
    # One thread each time: two of torch wait for one another where the tests share the cores.
    for name, value in (('SIZE', (24, 16)), ('BATCH', 2), ('WARM_UP', 1), ('THREADS', (1, 1))):
        monkeypatch.setattr(training_module, name, value)
    assert main(['training', '--rounds', '1', '--json', str(tmp_path / 'training.json')]) == 0
    out = capsys.readouterr().out
    written = json.loads((tmp_path / 'training.json').read_text())
    assert [row['threads'] for row in written['rows']] == [1, 1]
    assert written['training'] == written['rows'][1] and f'kernels {written["kernels"]}' in out
    for row in written['rows']:
        plain, fused = row['torch_images_per_s'], row['fused_images_per_s']
        assert row['ratio'] == fused / plain
        assert (f'{row["threads"]} thread(s): torch {plain:.1f} images/s   fused {fused:.1f} '
                f'images/s   fused / torch {row["ratio"]:.2f}') in out


def test_timed_trainings_are_the_same():
    losses = []
    for fused in (False, True):
        torch.manual_seed(0)
        network = build(named_config('fast', len(CAMVID))).to(memory_format=torch.channels_last)
        assert not fused or fuse(network)
        step = training_module.stepper(network, fused, (24, 16))
        losses.append(torch.stack([step(), step()]))
    # The second loss depends on the gradients of the first; a spike at a threshold may change it.
    torch.testing.assert_close(*losses, rtol=1e-2, atol=0)
    assert losses[0][1] != losses[0][0]


def test_training_without_the_engine(monkeypatch, capsys):
    def missing():
        raise EngineUnavailableError('it was not built: build it')

    monkeypatch.setattr(training_module, 'training_kernels', missing)
    assert main(['training']) == 1
    assert capsys.readouterr().err == (
        'benchmark: there are no fused layers to measure: it was not built: build it\n')
