# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Memory, threads, files and processor time of a process (Linux)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf('SC_CLK_TCK')


@dataclass(frozen=True)
class ProcessState:
    """
    Resources of a process at one time.

    :param own_kb: memory that it allocated itself.
    :param resident_kb: with its code and the middleware's shared memory, whose touched share grows
        for a while.
    :param threads: number of threads.
    :param handles: number of open files.
    :param cpu_s: processor time since its start in seconds.
    """

    own_kb: int
    resident_kb: int
    threads: int
    handles: int
    cpu_s: float


def process_state(pid: int) -> ProcessState:
    """
    Read the resources of a process.

    :param pid: process id.
    :returns: its resources.
    :raises OSError: it has ended.
    """
    folder = Path(f'/proc/{pid}')
    status = dict(line.split(':', 1) for line in (folder / 'status').read_text().splitlines())
    return ProcessState(
        own_kb=int(status['RssAnon'].split()[0]), resident_kb=int(status['VmRSS'].split()[0]),
        threads=int(status['Threads']), handles=len(list((folder / 'fd').iterdir())),
        cpu_s=cpu_s(pid))


def cpu_s(pid: int) -> float:
    """Return the processor time of a process and its threads so far, in seconds."""
    # The name of the program, in brackets, may contain anything.
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
