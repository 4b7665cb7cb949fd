# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segment several inputs as tasks of Ray, on a cluster or on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from mfs_seg_core.segment.progress import progress_bar
from mfs_seg_core.segment.run import Outcome, segment
from mfs_seg_core.segment.settings import Job
from mfs_seg_core.streaming.segmenter import set_threads

# A task that is lost with its machine starts again, and continues from its checkpoint.
RETRIES = 3
# Bytes of Ray's shared memory on this machine: tasks exchange paths and figures only.
STORE_BYTES = 80_000_000


def on_ray(jobs: Sequence[Job], address: str, workers: int) -> Iterator[Outcome]:
    """
    Segment inputs as tasks of Ray, one task and one processor an input.

    All machines of a cluster need the inputs and the output under the same paths.

    :param jobs: the inputs.
    :param address: address of the cluster; empty: that of RAY_ADDRESS, else this machine.
    :param workers: number of tasks at once on this machine.
    :yields: their results, as they are complete.
    :raises ValueError: there is no cluster at this address; one sentence.
    """
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
    import ray
    _connect(ray, address or os.environ.get('RAY_ADDRESS', ''), workers)
    try:
        task = ray.remote(num_cpus=1, max_retries=RETRIES)(_segment)
        pending = {task.remote(job, os.getcwd()): job for job in jobs}
        with progress_bar('inputs', ' inputs') as progress:
            advance = progress(len(jobs))
            while pending:
                (ready,), _ = ray.wait(list(pending), num_returns=1)
                job = pending.pop(ready)
                try:
                    outcome = ray.get(ready)
                except ray.exceptions.RayError as error:
                    reason = str(error).strip().partition('\n')[0]
                    outcome = Outcome(job.input, 0, None, False, (
                        f"the task of '{job.input}' failed ({reason}): run the same command "
                        'again, it continues',))
                advance()
                yield outcome
    finally:
        ray.shutdown()


def _connect(ray, address: str, workers: int) -> None:
    if not address:
        ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False,
                 logging_level='error', object_store_memory=STORE_BYTES,
                 _node_ip_address='127.0.0.1')
        return
    try:
        ray.init(address=address, log_to_driver=False, logging_level='error')
    # Ray raises errors of several kinds.
    except Exception as error:
        reason = str(error).strip().partition('\n')[0]
        raise ValueError(f"there is no Ray cluster at '{address}' ({reason}): start one by `ray "
                         'start --head`, or leave the address out') from None


def _segment(job: Job, folder: str) -> Outcome:
    # Relative paths are those of the command.
    os.chdir(folder)
    set_threads(1)
    return segment(job)
