# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of malloc for memory that each message allocates and frees."""

from __future__ import annotations

import ctypes

# Options of mallopt in malloc.h of glibc.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 256 << 20
# The largest value that glibc accepts.
HEAP_BLOCK_BYTES = 32 << 20


def retain_freed_memory() -> None:
    """
    Let malloc retain up to 256 MiB of freed memory, if the C library is glibc.

    By default, each step returns the pages of its tensors to the kernel, and the next step takes
    about a thousand page faults: a tenth of its time, and much more on virtual machines.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def release_freed_memory() -> None:
    """Return the freed memory of this process to the kernel, if the C library is glibc."""
    malloc_trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if malloc_trim:
        malloc_trim(0)
