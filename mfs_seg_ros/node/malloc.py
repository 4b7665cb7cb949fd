# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Memory that a node has freed and will need again for the next message."""

from __future__ import annotations

import ctypes

# Of glibc's malloc.h; the other values are bytes.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 256 << 20
# The largest that glibc takes.
HEAP_BLOCK_BYTES = 32 << 20


def keep_freed_memory() -> None:
    """
    Have this process keep what it frees, up to 256 MiB, where the C library is glibc.

    Else each step gives its tensors' pages back to the kernel and faults them in anew, a thousand
    at a time: a tenth of the time of a step, and much more on virtual machines.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def give_back_memory() -> None:
    """Give what this process has freed back to the kernel, where the C library is glibc."""
    malloc_trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if malloc_trim:
        malloc_trim(0)
