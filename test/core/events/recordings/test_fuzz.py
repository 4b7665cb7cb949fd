# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mutated files: each reader reads them or refuses them with one sentence, within limits."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.fuzz_targets import TARGETS
from support.fuzzing import COUNT, MUTATIONS, USUAL, mutated, refusal


@pytest.fixture(scope='module')
def good(tmp_path_factory):
    """Bytes of a good file of each reader, which reads it; this also compiles what it needs."""
    folder = tmp_path_factory.mktemp('good')
    files = {}
    for target in TARGETS.values():
        path = folder / f'{target.name}{target.suffix}'
        target.write(path)
        target.read(path)
        files[target.name] = path.read_bytes()
    return files


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('mutated')


@settings(max_examples=COUNT, derandomize=COUNT == USUAL, database=None, deadline=None,
          suppress_health_check=list(HealthCheck),
          phases=(Phase.explicit, Phase.generate, Phase.shrink))
@given(st.sampled_from(sorted(TARGETS)), MUTATIONS)
def test_mutated_files(good, folder, name, mutations):
    target = TARGETS[name]
    path = folder / f'a{target.suffix}'
    # A new file: an old one may still be mapped into memory.
    path.unlink(missing_ok=True)
    path.write_bytes(mutated(good[name], mutations))
    refusal(target, path)
