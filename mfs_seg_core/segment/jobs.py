# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segment several inputs: one after the other, or in processes of this machine."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from mfs_seg_core.engine.library import default_threads
from mfs_seg_core.segment.progress import progress_bar
from mfs_seg_core.segment.run import Observer, Outcome, segment
from mfs_seg_core.segment.settings import Job
from mfs_seg_core.streaming.segmenter import set_threads


def parse_shard(text: str) -> tuple[int, int]:
    """
    Read the option ``--shard``.

    :param text: 'i/n', with i from 1 to n.
    :returns: i and n.
    :raises ValueError: it is something else.
    """
    try:
        number, count = map(int, text.split('/'))
    except ValueError:
        number, count = 0, 0
    if not 1 <= number <= count:
        raise ValueError(f"--shard is '{text}': give i/n with i from 1 to n, such as 1/4")
    return number, count


def in_turn(jobs: Sequence[Job], observer: Observer | None = None) -> Iterator[Outcome]:
    """
    Segment inputs one after the other.

    :param jobs: the inputs.
    :param observer: receives each step that runs; None: none.
    :yields: their results.
    """
    for job in jobs:
        with progress_bar(job.folder.name, ' masks') as progress:
            outcome = segment(job, progress, observer)
        yield outcome


def in_processes(jobs: Sequence[Job], count: int) -> Iterator[Outcome]:
    """
    Segment inputs in several processes, each with its share of the processors.

    :param jobs: the inputs.
    :param count: number of processes.
    :yields: their results, as they are complete.
    """
    threads = max(1, default_threads() // count)
    # Not fork: threads of the native engine do not survive it.
    pool = ProcessPoolExecutor(count, multiprocessing.get_context('spawn'), _prepare, (threads,))
    with pool, progress_bar('inputs', ' inputs') as progress:
        advance = progress(len(jobs))
        futures = {pool.submit(segment, job): job for job in jobs}
        for future in as_completed(futures):
            try:
                outcome = future.result()
            except BrokenProcessPool:
                outcome = Outcome(futures[future].input, 0, None, False, (
                    'a process was ended, perhaps for lack of memory: run the same command again '
                    'with a smaller --jobs, it continues',))
            advance()
            yield outcome


def _prepare(threads: int) -> None:
    """Prepare a process, which ends at Ctrl-C: what it has done is continued later."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    set_threads(threads)
