# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Several cameras in one process, as a batch, against one process for each camera.

By default the single process has a thread for each core. Each of the other processes has its own
weights and one thread; together they have the same cores. In each round both setups start, warm up
and run for some seconds, one after the other.

Frames per second depend on other work on the machine. Processor time does not, but includes busy
waiting of threads for each other: to measure the saving of a batch, compare with one thread.
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
# As in the node: the process keeps freed memory for the next step.
KEEP_FREED = {'MALLOC_MMAP_THRESHOLD_': str(32 << 20), 'MALLOC_TRIM_THRESHOLD_': str(256 << 20)}
MEMORY = Path('/proc/self/smaps_rollup')


class ProcessFigures(NamedTuple):
    """
    Figures of one process.

    :param rate: frames per second.
    :param cpu_s: processor time of all frames in s.
    :param frames: number of frames.
    :param resident: resident memory in bytes.
    :param own: memory of this process alone in bytes.
    :param shared: memory shared with other processes in bytes.
    """

    rate: float
    cpu_s: float
    frames: int
    resident: int
    own: int
    shared: int


class SetupFigures(NamedTuple):
    """
    Figures of all processes of a setup.

    :param rate: frames per second.
    :param cpu_ms: processor time of a frame in ms.
    :param resident_mb: sum of the processes' resident memory in MB.
    :param memory_mb: memory in MB, with shared pages counted once.
    """

    rate: float
    cpu_ms: float
    resident_mb: float
    memory_mb: float


def benchmark_cameras(cameras: int, rounds: int, seconds: float, threads: int = 0,
                      backend: str = 'native') -> None:
    """
    Print medians over rounds, and the medians of their ratios.

    :param cameras: number of cameras.
    :param rounds: number of rounds.
    :param seconds: duration of a measurement.
    :param threads: threads of the single process; 0: one for each core.
    :param backend: backend of the network, 'native' or 'torch'.
    :raises ValueError: the system does not report the memory of processes.
    :raises ChildProcessError: a process has ended early.
    """
    if not MEMORY.exists():
        raise ValueError(f'there is no {MEMORY} to read memory from: run it on Linux')
    cores = len(os.sched_getaffinity(0))
    threads = threads or cores
    setups = {'as a batch': [(cameras, threads)], 'by processes': [(1, 1)] * cameras}
    print(f'{cameras} camera(s) of {SIZE[0]}x{SIZE[1]}, weights {WEIGHTS}, backend {backend}, '
          f'{cores} core(s), {threads} thread(s) for the batch; medians of {rounds} rounds of '
          f'{seconds:g} s')
    results: list[list[SetupFigures]] = []
    for turn in range(rounds):
        # The order alternates, so that no setup profits from it.
        order = list(setups)[::1 if turn % 2 else -1]
        figures = {name: run(setups[name], seconds, backend) for name in order}
        results.append([figures[name] for name in setups])
    for name, of_setup in zip(setups, zip(*results)):
        rate, cpu_ms, resident, memory = map(statistics.median, zip(*of_setup))
        print(f'{name:<12} {rate:7.1f} frames/s   processor {cpu_ms:6.1f} ms per frame   resident '
              f'{resident:6.0f} MB   shared pages counted once {memory:6.0f} MB')
    ratios = [[one / other for one, other in zip(*both)] for both in results]
    rate, cpu_ms, resident, memory = map(statistics.median, zip(*ratios))
    print(f'batch / processes: frames/s {rate:.2f}, processor time {cpu_ms:.2f}, resident '
          f'{resident:.2f}, shared pages counted once {memory:.2f}')


def run(processes: Sequence[tuple[int, int]], seconds: float, backend: str = 'native'
        ) -> SetupFigures:
    """
    Run a setup once.

    :param processes: cameras and threads of each process.
    :param seconds: duration of the measurement.
    :param backend: backend of the network, 'native' or 'torch'.
    :returns: figures of all processes.
    :raises ChildProcessError: a process has ended early.
    """
    context = multiprocessing.get_context('spawn')
    before = dict(os.environ)
    os.environ.update(KEEP_FREED)
    started = []
    try:
        for each in processes:
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, *each, seconds, backend),
                                      daemon=True)
            process.start()
            theirs.close()
            started.append((process, ours))
        # Each process reports that it is ready, waits for the start, sends its figures, and keeps
        # its memory until the pipe is closed: all are measured while all exist.
        for _, pipe in started:
            pipe.recv()
        for _, pipe in started:
            pipe.send(None)
        results: list[ProcessFigures] = [pipe.recv() for _, pipe in started]
    except (EOFError, BrokenPipeError):
        raise ChildProcessError('a process of the benchmark has ended early: see its message '
                                'above, and check that there is memory for all') from None
    finally:
        os.environ.clear()
        os.environ.update(before)
        for process, pipe in started:
            pipe.close()
            process.join()
    frames = sum(each.frames for each in results)
    return SetupFigures(
        sum(each.rate for each in results), 1e3 * sum(each.cpu_s for each in results) / frames,
        sum(each.resident for each in results) / 1e6,
        (sum(each.own for each in results) + max(each.shared for each in results)) / 1e6)


def _serve(pipe: Connection, cameras: int, threads: int, seconds: float, backend: str) -> None:
    """Step the cameras of one process without pauses; send its figures through the pipe."""
    from mfs_seg_core.streaming.segmenter import Segmenter, set_threads, step_together
    set_threads(threads)
    first = Segmenter.from_weights(WEIGHTS, backend=backend)
    streams = [first, *(first.sibling() for _ in range(cameras - 1))]
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (cameras, SIZE[1], SIZE[0], 3), np.uint8)

    def step() -> None:
        # Each camera has its own stamps, with jitter.
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
    pipe.send(ProcessFigures(cameras * steps / took, cpu, cameras * steps, *_memory()))
    try:
        pipe.recv()
    except EOFError:
        return


def _memory() -> tuple[int, int, int]:
    """Return this process's memory in bytes: resident, its own, and shared with others."""
    kb = {name: int(value) for name, value in re.findall(r'(\w+): +(\d+) kB', MEMORY.read_text())}
    own, shared = (sum(kb[f'{kind}_{state}'] for state in ('Clean', 'Dirty'))
                   for kind in ('Private', 'Shared'))
    return kb['Rss'] << 10, own << 10, shared << 10
