# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mutated files: each reader reads them or refuses them with one sentence, within limits."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.fuzz_targets import TARGETS
from support.fuzzing import COUNT, MEMORY, MUTATIONS, USUAL, Hang, limits, mutated, refusal


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('mutated')


@cache
def good(name: str, folder: Path) -> bytes:
    """Return a good file of a reader, which reads it; this also compiles what it needs."""
    target = TARGETS[name]
    path = folder / f'good{target.suffix}'
    path.unlink(missing_ok=True)
    target.write(path)
    target.read(path)
    return path.read_bytes()


@settings(max_examples=COUNT, derandomize=COUNT == USUAL, database=None, deadline=None,
          suppress_health_check=list(HealthCheck),
          phases=(Phase.explicit, Phase.generate, Phase.shrink))
@given(st.sampled_from(sorted(TARGETS)), MUTATIONS)
def test_mutated_files(folder, name, mutations):
    target = TARGETS[name]
    path = folder / f'a{target.suffix}'
    # A new file: an old one may still be mapped into memory.
    path.unlink(missing_ok=True)
    path.write_bytes(mutated(good(name, folder), mutations))
    refusal(target, path)


def test_a_reader_without_end_is_stopped():
    with pytest.raises(Hang), limits():
        while True:
            pass


def test_a_reader_without_measure_is_refused_memory():
    with pytest.raises(MemoryError), limits():
        bytearray(2 * MEMORY)
