# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loading of the engine's library, and the choice of its kernels."""

import pytest

from mfs_seg_core.engine import library as module
from mfs_seg_core.engine.library import EngineUnavailableError, Library, library


def test_best_kernels_first():
    names = list(library().kernels)
    assert names[-1] == 'portable'
    assert library().choose() == names[0]


def test_kernels_by_name(monkeypatch):
    assert library().choose('portable') == 'portable'
    monkeypatch.setenv(module.VARIABLE, 'portable')
    assert library().choose() == 'portable'
    with pytest.raises(EngineUnavailableError, match="no kernels 'mmx'.*portable"):
        library().choose('mmx')


def test_without_a_library(monkeypatch):
    monkeypatch.setattr(module, 'find_spec', lambda name: None)
    library.cache_clear()
    with pytest.raises(EngineUnavailableError, match=r'not built: install a C\+\+ compiler'):
        library()
    library.cache_clear()


def test_a_file_that_is_no_library(tmp_path):
    path = tmp_path / 'engine.so'
    path.write_bytes(b'text')
    with pytest.raises(EngineUnavailableError, match='cannot be loaded'):
        Library(str(path))


@pytest.mark.parametrize('text, count', [('3', 3), ('x', None), ('0', None), ('', None)])
def test_threads(monkeypatch, text, count):
    monkeypatch.setenv('OMP_NUM_THREADS', text)
    assert module.default_threads() == count or count is None and module.default_threads() >= 1
