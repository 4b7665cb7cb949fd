# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Blocks of memory of the engine: alignment, and huge pages for large blocks."""

import os
from pathlib import Path

import numpy as np
import pytest

from mfs_seg_core.engine.memory import ALIGNMENT, HUGE_PAGE, Blob, address, aligned_bytes

SMAPS = Path('/proc/self/smaps')


@pytest.mark.parametrize('size', [1, 100, HUGE_PAGE - 1, HUGE_PAGE, 5 * HUGE_PAGE + 17])
def test_a_block_is_zeroed_writable_and_aligned(size):
    block = aligned_bytes(size)
    assert block.shape == (size,) and block.dtype == np.uint8 and not block.any()
    assert address(block) % (ALIGNMENT if size < HUGE_PAGE else HUGE_PAGE) == 0
    block[:] = 1
    assert block.all()


def flags(place: int) -> list[str]:
    """Return the flags of the kernel for the memory at an address."""
    inside = False
    for line in SMAPS.read_text().splitlines():
        first, _, rest = line.partition(' ')
        if '-' in first:
            start, end = (int(part, 16) for part in first.split('-'))
            inside = start <= place < end
        elif inside and first == 'VmFlags:':
            return rest.split()
    raise AssertionError('not mapped')


@pytest.mark.skipif(not Path('/sys/kernel/mm/transparent_hugepage').is_dir(),
                    reason='needs a Linux kernel with transparent huge pages')
def test_a_large_block_asks_for_huge_pages():
    block = aligned_bytes(3 * HUGE_PAGE)
    assert 'hg' in flags(address(block))


def test_a_large_block_is_not_shared_with_a_forked_process():
    block = aligned_bytes(HUGE_PAGE)
    child = os.fork()
    if not child:
        block[:] = 1
        os._exit(0)
    os.waitpid(child, 0)
    assert not block.any()


def test_constants_are_aligned_and_stored_once():
    blob = Blob()
    first, second = np.arange(5, dtype=np.float32), np.ones(100, np.uint8)
    arrays = [first, second, first.copy()]
    offsets = [blob.add(array) for array in arrays]
    assert offsets == [0, ALIGNMENT, 0]
    memory = blob.memory()
    assert memory.size == 3 * ALIGNMENT and address(memory) % ALIGNMENT == 0
    for offset, array in zip(offsets, arrays):
        assert memory[offset:offset + array.nbytes].tobytes() == array.tobytes()
