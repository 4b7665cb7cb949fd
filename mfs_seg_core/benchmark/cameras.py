# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Several cameras in one process, as a batch, against a process for each.

The one process has a thread for each core, unless told otherwise. Each of the others has weights of
its own and one thread; together they have the same cores. In each round both sides start anew, warm
up and run for a while, one after the other.

Frames a second are what a busy machine leaves. Processor time is not, but counts the turns of a
thread that waits for another: to see what a batch saves, compare with one thread.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import statistics
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import numpy as np

WEIGHTS = 'street'
SIZE = 240, 180
PERIOD_S = 0.05
WARM_UP = 5
# As the node has it: freed memory is kept for the next step.
KEEP_FREED = {'MALLOC_MMAP_THRESHOLD_': str(32 << 20), 'MALLOC_TRIM_THRESHOLD_': str(256 << 20)}
MEMORY = Path('/proc/self/smaps_rollup')


class Ran(NamedTuple):
    """What became of one process: frames a second, processor time a frame, memory in bytes."""

    rate: float
    cpu_s: float
    frames: int
    resident: int
    own: int
    shared: int


class Side(NamedTuple):
    """What became of all processes of a side."""

    rate: float
    cpu_ms: float
    resident_mb: float
    memory_mb: float


def benchmark_cameras(cameras: int, rounds: int, seconds: float, threads: int = 0) -> None:
    """
    Print medians over rounds, and the medians of their ratios.

    :param seconds: for which each side runs, in each round.
    :param threads: of the one process; 0: one for each core.
    :raises ValueError: the system does not tell how much memory a process has.
    :raises ChildProcessError: a process has ended before its time.
    """
    if not MEMORY.exists():
        raise ValueError(f'there is no {MEMORY} to read memory from: run it on Linux')
    cores = len(os.sched_getaffinity(0))
    threads = threads or cores
    sides = {'as a batch': [(cameras, threads)], 'by processes': [(1, 1)] * cameras}
    print(f'{cameras} camera(s) of {SIZE[0]}x{SIZE[1]}, weights {WEIGHTS}, {cores} core(s), '
          f'{threads} thread(s) for the batch; medians of {rounds} rounds of {seconds:g} s')
    ran: list[list[Side]] = []
    for turn in range(rounds):
        # Who goes first goes second in the next round.
        order = list(sides)[::1 if turn % 2 else -1]
        figures = {name: run(sides[name], seconds) for name in order}
        ran.append([figures[name] for name in sides])
    for name, of_side in zip(sides, zip(*ran)):
        rate, cpu_ms, resident, memory = map(statistics.median, zip(*of_side))
        print(f'{name:<12} {rate:7.1f} frames/s   processor {cpu_ms:6.1f} ms a frame   resident '
              f'{resident:6.0f} MB   shared pages counted once {memory:6.0f} MB')
    ratios = [[one / other for one, other in zip(*both)] for both in ran]
    rate, cpu_ms, resident, memory = map(statistics.median, zip(*ratios))
    print(f'batch / processes: frames/s {rate:.2f}, processor time {cpu_ms:.2f}, resident '
          f'{resident:.2f}, shared pages counted once {memory:.2f}')


def run(processes: Sequence[tuple[int, int]], seconds: float) -> Side:
    """
    Run a side once.

    :param processes: cameras and threads of each.
    :raises ChildProcessError: a process has ended before its time.
    """
    context = multiprocessing.get_context('spawn')
    before = dict(os.environ)
    os.environ.update(KEEP_FREED)
    started = []
    try:
        for each in processes:
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, *each, seconds), daemon=True)
            process.start()
            theirs.close()
            started.append((process, ours))
        # Ready; begin; done, while all are there still; leave.
        for _, pipe in started:
            pipe.recv()
        for _, pipe in started:
            pipe.send(None)
        ran = [pipe.recv() for _, pipe in started]
    except (EOFError, BrokenPipeError):
        raise ChildProcessError('a process of the benchmark has ended before its time: see its '
                                'message above, and whether there is memory for all') from None
    finally:
        os.environ.clear()
        os.environ.update(before)
        for process, pipe in started:
            pipe.close()
            process.join()
    frames = sum(each.frames for each in ran)
    return Side(sum(each.rate for each in ran), 1e3 * sum(each.cpu_s for each in ran) / frames,
                sum(each.resident for each in ran) / 1e6,
                (sum(each.own for each in ran) + max(each.shared for each in ran)) / 1e6)


def _serve(pipe: Connection, cameras: int, threads: int, seconds: float) -> None:
    """Step the cameras of one process as quickly as it goes."""
    from mfs_seg_core.streaming.segmenter import Segmenter, set_threads, step_together
    set_threads(threads)
    first = Segmenter.from_weights(WEIGHTS)
    streams = [first, *(first.sibling() for _ in range(cameras - 1))]
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (cameras, SIZE[1], SIZE[0], 3), np.uint8)

    def step() -> None:
        # Stamps are never quite regular, and each camera has its own.
        times = PERIOD_S * random.uniform(0.95, 1.05, cameras)
        step_together([(stream, stream.prepare(frame, elapsed_s))
                       for stream, frame, elapsed_s in zip(streams, frames, times.tolist())])

    for _ in range(WARM_UP):
        step()
    pipe.send(None)
    pipe.recv()
    start, cpu, steps = time.perf_counter(), time.process_time(), 0
    while steps == 0 or time.perf_counter() < start + seconds:
        step()
        steps += 1
    took, cpu = time.perf_counter() - start, time.process_time() - cpu
    pipe.send(Ran(cameras * steps / took, cpu, cameras * steps, *_memory()))
    try:
        pipe.recv()
    except EOFError:
        return


def _memory() -> tuple[int, int, int]:
    """Give this process's bytes: resident, its own, and shared with any other process."""
    kb = {name: int(value) for name, value in re.findall(r'(\w+): +(\d+) kB', MEMORY.read_text())}
    own, shared = (sum(kb[f'{kind}_{state}'] for state in ('Clean', 'Dirty'))
                   for kind in ('Private', 'Shared'))
    return kb['Rss'] << 10, own << 10, shared << 10
