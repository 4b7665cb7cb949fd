# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Blocks of memory whose parts start at lines of the cache."""

from __future__ import annotations

import mmap
from contextlib import suppress

import numpy as np

# Start of a plane or of constants, in bytes: a line of the cache.
ALIGNMENT = 64
# Size of a huge page of the kernel: in small pages, a step after a pause takes 5 to 10 % longer.
HUGE_PAGE = 2 << 20


def aligned(size: int) -> int:
    """Round a size in bytes up to whole lines of the cache."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def aligned_bytes(size: int) -> np.ndarray:
    """
    Return zeroed memory, uint8 ``[size]``, that starts at a line of the cache.

    Large blocks start at a huge page, and are not shared with forked processes.
    """
    if size < HUGE_PAGE:
        memory, start_at = np.zeros(size + ALIGNMENT, np.uint8), ALIGNMENT
    else:
        block = mmap.mmap(-1, size + HUGE_PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        # Some systems and kernels have no huge pages: small ones work too.
        with suppress(AttributeError, OSError):
            block.madvise(mmap.MADV_HUGEPAGE)
        memory, start_at = np.frombuffer(block, np.uint8), HUGE_PAGE
    start = -memory.ctypes.data % start_at
    return memory[start:start + size]


def address(array: np.ndarray) -> int:
    """Return the address of the first element."""
    # array.ctypes takes a microsecond more.
    return array.__array_interface__['data'][0]


class Blob:
    """Arrays one after the other, in one block of memory."""

    def __init__(self):
        self._parts: list[bytes] = []
        self._size = 0
        self._places: dict[bytes, int] = {}

    def add(self, array: np.ndarray) -> int:
        """Append an array; return its offset in bytes."""
        data = array.tobytes()
        if data not in self._places:
            self._places[data] = self._size
            self._parts.append(data + bytes(aligned(len(data)) - len(data)))
            self._size += len(self._parts[-1])
        return self._places[data]

    def memory(self) -> np.ndarray:
        """Return the block, uint8, aligned."""
        memory = aligned_bytes(max(self._size, ALIGNMENT))
        memory[:self._size] = np.frombuffer(b''.join(self._parts), np.uint8)
        return memory
