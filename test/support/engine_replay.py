# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Steps of the engine in a program of their own: for other processors, and under sanitizers."""

import ctypes
import subprocess
from pathlib import Path

import numpy as np

from mfs_seg_core.engine import layout
from mfs_seg_core.engine.constants import Constants
from mfs_seg_core.engine.engine import Engine, EngineInput
from mfs_seg_core.engine.memory import aligned_bytes
from mfs_seg_core.engine.plan import MemoryPlan
from support.paths import REPOSITORY

NATIVE = REPOSITORY / 'mfs_seg_core' / 'engine' / 'native'
# Packings of the weights, by the rows of a depthwise kernel that kernels sum at once.
TAPS = 1, 2, 4
# Those of setup.py that change results.
FLAGS = ('-std=c++17', '-fno-math-errno', '-fno-trapping-math', '-ffp-contract=off',
         '-fno-strict-aliasing', '-Wno-psabi', '-pthread', '-static-libstdc++')


def build(path: Path, compiler: str, *flags: str) -> None:
    """Compile the engine and engine_replay.cpp, the files side by side."""
    sources = [*sorted(NATIVE.glob('*.cpp')), Path(__file__).with_suffix('.cpp')]
    objects = [path.parent / f'{source.stem}.o' for source in sources]
    running = [subprocess.Popen([compiler, *FLAGS, *flags, '-I', str(NATIVE), '-c', str(source),
                                 '-o', str(target)])
               for source, target in zip(sources, objects)]
    assert not any(process.wait() for process in running)
    subprocess.run([compiler, *FLAGS, *flags, *map(str, objects), '-o', str(path)], check=True)


def write_case(path: Path, engine: Engine, given: EngineInput, seed: int) -> None:
    """Write a step from a random state, and the memory that it needs."""
    size = engine._check([given])
    programs = []
    for taps in TAPS:
        constants = Constants(engine.program, taps)
        plan = MemoryPlan(engine.program, constants, *size, False)
        plan.ops[-1].confidence.space = layout.CONFIDENCE
        programs += [ctypes.string_at(ctypes.addressof(plan.ops), ctypes.sizeof(plan.ops)),
                     constants.memory]
    random = np.random.default_rng(seed)
    state = aligned_bytes(plan.state_bytes)
    for values in plan.state_arrays(state).values():
        values[...] = random.standard_normal(values.shape)
    parts = [*programs, plan.tables, engine._decays(given.elapsed), state,
             np.zeros(plan.arena_bytes, np.uint8), np.zeros(size, np.uint8),
             np.zeros(len(engine.program.layers), np.int64),
             b'' if given.image is None else given.image,
             b'' if given.events is None else given.events]
    with path.open('wb') as file:
        for part in parts:
            data = part if isinstance(part, bytes) else np.ascontiguousarray(part).tobytes()
            file.write(np.int64(len(data)).tobytes() + data)


def replay(command: list[str], case: Path) -> dict[str, set[str]]:
    """Return the hashes of the results, by kernels."""
    done = subprocess.run([*command, str(case)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    hashes: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        name, value = line.split()
        hashes.setdefault(name, set()).add(value)
    return hashes
