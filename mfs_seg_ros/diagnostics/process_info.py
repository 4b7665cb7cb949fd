# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the kernel says of another process (Linux)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf('SC_CLK_TCK')


@dataclass(frozen=True)
class ProcessState:
    """
    A process at one moment.

    `own_kb` is memory that it has asked for itself; `resident_kb` has its code and the shared
    memory of the middleware too, of which it touches ever more for a while. `cpu_s` is processor
    time since its start.
    """

    own_kb: int
    resident_kb: int
    threads: int
    handles: int
    cpu_s: float


def process_state(pid: int) -> ProcessState:
    """Return the state of a process; raises OSError when it is gone."""
    folder = Path(f'/proc/{pid}')
    status = dict(line.split(':', 1) for line in (folder / 'status').read_text().splitlines())
    return ProcessState(
        own_kb=int(status['RssAnon'].split()[0]), resident_kb=int(status['VmRSS'].split()[0]),
        threads=int(status['Threads']), handles=len(list((folder / 'fd').iterdir())),
        cpu_s=cpu_s(pid))


def cpu_s(pid: int) -> float:
    """Return the processor time of a process and its threads so far, in seconds."""
    # The name, in brackets, may hold anything.
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
