# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Programs of weights files: beside them, in the cache, or compiled."""

import shutil

import numpy as np
import pytest
from support.untrained import metadata_of, untrained

from mfs_seg_core.engine.__main__ import main
from mfs_seg_core.engine.file import ProgramError
from mfs_seg_core.engine.programs import find_program, write_program
from mfs_seg_core.model.unet import UNet
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.weights.file import save_weights
from mfs_seg_core.weights.header import read_header
from mfs_seg_core.weights.metadata import Metadata

FRAME = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Return the folder of cached programs."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    return tmp_path / 'cache' / 'mfs_seg' / 'programs'


@pytest.fixture
def weights(tmp_path, cache):
    path = tmp_path / 'test.safetensors'
    save_weights(path, untrained('fast'), metadata_of(untrained('fast')))
    return path


def test_the_first_load_fills_the_cache(weights, cache):
    with pytest.raises(ProgramError, match='has no program beside it'):
        find_program(weights)
    first = Segmenter.from_weights(weights)
    assert [path.name for path in cache.iterdir()] == [
        f'{read_header(weights).sha256}-v1.program']
    program, metadata = find_program(weights)
    assert metadata.config == first.metadata.config and program.layers
    again = Segmenter.from_weights(weights)
    assert again.backend == 'native'
    assert np.array_equal(first.step(FRAME).mask, again.step(FRAME).mask)


def test_a_program_beside_the_weights_comes_first(weights, cache):
    assert write_program(weights) == weights.with_suffix('.program')
    assert Segmenter.from_weights(weights).backend == 'native'
    assert not cache.exists()


def test_a_program_of_other_weights_is_not_run(weights, cache):
    """It is that of earlier weights of the same name."""
    write_program(weights)
    save_weights(weights, untrained('fast', levels=2), metadata_of(untrained('fast', levels=2)))
    with pytest.raises(ProgramError, match='was compiled from other weights'):
        find_program(weights)
    stream = Segmenter.from_weights(weights)
    assert stream.backend == 'native' and stream.step(FRAME, firing_rate=True).firing_rate <= 2
    assert len(list(cache.iterdir())) == 1


def test_a_damaged_program_of_the_cache_is_written_again(weights, cache):
    Segmenter.from_weights(weights)
    path, = cache.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    Segmenter.from_weights(weights)
    assert path.read_bytes() == whole


def test_a_cache_that_cannot_be_written(weights, cache):
    cache.parent.parent.write_text('a file in place of the folder')
    assert Segmenter.from_weights(weights).backend == 'native'


def test_networks_that_the_engine_cannot_run(tmp_path, cache, capsys):
    path = tmp_path / 'unet.safetensors'
    classes = metadata_of(untrained('fast')).classes
    network = UNet(UNetConfig(len(classes), width=4)).eval()
    save_weights(path, network, Metadata('unet', network.config, classes, (64, 48), (0.4,) * 3,
                                         (0.3,) * 3, 0.05))
    assert Segmenter.from_weights(path).backend == 'torch'
    assert not cache.exists()
    assert main([str(path)]) == 1
    assert capsys.readouterr().err == f'engine: {path} cannot be compiled: it is a UNet\n'


def test_command(weights, capsys):
    copy = weights.with_name('copy.safetensors')
    shutil.copy(weights, copy)
    assert main([str(weights), str(copy)]) == 0
    assert capsys.readouterr().out.split() == [
        str(path.with_suffix('.program')) for path in (weights, copy)]
    assert weights.with_suffix('.program').read_bytes() == copy.with_suffix('.program').read_bytes()
    assert main(['nowhere']) == 1
    assert 'no weights' in capsys.readouterr().err
