# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The engine in programs of its own: under sanitizers, and on 64-bit ARM.

Both compile the engine; what is missing for that is named where a test is skipped. ARM runs in
QEMU: apt install g++-aarch64-linux-gnu qemu-user.
"""

import dataclasses
import shutil

import numpy as np
import pytest
from support.engine_replay import build, replay, write_case
from support.exact_networks import exact_inputs, exact_network, random_lite_config
from support.hostile_programs import SHA256, mutated
from support.untrained import metadata_of

from mfs_seg_core.engine.compiler import compile_network, compile_weights
from mfs_seg_core.engine.engine import Engine, EngineInput
from mfs_seg_core.engine.file import ProgramError, load_program
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.model.config import named_config


def fast(**changes):
    return named_config('fast', 11, widths=(8, 20, 35), **changes)


EXTREME = fast(levels=8, events=2, kernels=((), (7,), (7,)))
# Name, configuration, size, options of exact_network().
CASES = [
    ('all', fast(levels=4, events=4, kernels=((), (3,), (5, 7))), (23, 37), {}),
    ('extreme', EXTREME, (56, 56), dict(extreme=True)),
    ('extreme, signed', EXTREME, (56, 56), dict(extreme=True, signed=1)),
    ('binary', fast(levels=1, block='ms_res', kernels=((3,), (3,), (5,))), (9, 10), {}),
    ('one pixel', fast(levels=4, stem_stride=1, events=1), (1, 1), {}),
    ('lite', random_lite_config(205, levels=8), (23, 37), {}),
    ('lite, one pixel', random_lite_config(206, levels=8), (1, 1), {}),
]


def needed(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f'{" and ".join(missing)} not installed: apt install g++ '
                    'g++-aarch64-linux-gnu qemu-user')


@pytest.fixture(scope='module')
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp('cases')
    paths = []
    for index, (name, config, size, options) in enumerate(CASES):
        engine = Engine(compile_network(exact_network(config, **options)))
        paths.append(folder / f'{name}.bin')
        write_case(paths[-1], engine, EngineInput(*exact_inputs(config, index, *size), 0.7), index)
    return paths


@pytest.fixture(scope='module')
def sanitized(tmp_path_factory):
    needed('g++')
    program = tmp_path_factory.mktemp('sanitized') / 'replay'
    build(program, 'g++', '-O0', '-g1', '-fsanitize=address,undefined',
          '-fno-sanitize-recover=all')
    return program


@pytest.fixture(scope='module')
def on_arm(tmp_path_factory):
    needed('aarch64-linux-gnu-g++', 'qemu-aarch64')
    program = tmp_path_factory.mktemp('arm') / 'replay'
    build(program, 'aarch64-linux-gnu-g++', '-O1', '-static')
    return ['qemu-aarch64', str(program)]


def test_sanitizers_find_nothing_in_changed_programs(sanitized, tmp_path):
    """Whatever numbers a file has: where it is not rejected, the engine stays in its memory."""
    config = named_config('fast', 11, widths=(8, 20, 35), kernels=((3,), (5,), (7,)), events=4)
    network = exact_network(config)
    classes = ClassSet('test', tuple('abcdefghijk'), np.zeros((11, 3), np.uint8))
    metadata = dataclasses.replace(metadata_of(network), classes=classes)
    program = compile_weights(network, metadata)
    random, ran = np.random.default_rng(11), 0
    for seed in range(60):
        (tmp_path / 'x.program').write_bytes(mutated(program, metadata, random))
        try:
            changed, _ = load_program(tmp_path / 'x.program', SHA256)
        except ProgramError:
            continue
        ran += 1
        inputs = (random.integers(0, 256, (9, 13, 3), np.uint8),
                  random.random((4, 9, 13), np.float32))
        write_case(tmp_path / 'x.bin', Engine(changed), EngineInput(*inputs, 0.7), seed)
        replay([str(sanitized)], tmp_path / 'x.bin')
    assert ran


def test_sanitizers_find_nothing(sanitized, cases):
    for case in cases:
        hashes = replay([str(sanitized)], case)
        assert 'portable' in hashes
        assert len(set.union(*hashes.values())) == 1, (case.name, hashes)


def test_arm_computes_the_same_bits(sanitized, on_arm, cases):
    for case in cases:
        ours, theirs = replay([str(sanitized)], case), replay(on_arm, case)
        assert theirs.keys() == {'neon_dotprod', 'neon', 'portable'}
        assert set.union(*theirs.values()) == set.union(*ours.values()), (case.name, theirs)
