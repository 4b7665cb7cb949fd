# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Check of the heaps of an HDF5 file, in which strings of variable length lie.

The HDF5 library does not return from reading a string whose heap is damaged or cut. Heaps are at
the start of a file or at its end, where attributes are written; others are not searched for.
Source: HDF5 file format specification, "Global Heap".
"""

from __future__ import annotations

import io
import struct
from pathlib import Path

_MARK = b'GCOL'
# Head of a heap: mark, version, size. Head of an object: index, references, size.
_HEAP, _OBJECT = struct.Struct('<4sB3xQ'), struct.Struct('<HH4xQ')
SEARCHED = 1 << 20


def heaps_are_sound(path: Path) -> bool:
    """Return whether an HDF5 file has heaps at its start or end, all of them undamaged."""
    with path.open('rb') as file:
        size = file.seek(0, io.SEEK_END)
        starts = sorted({0, max(size - SEARCHED, 0)})
        blocks = []
        for start in starts:
            file.seek(start)
            blocks.append(file.read(SEARCHED))
    found = [_is_sound(block, place) for block in blocks for place in _places(block)]
    return bool(found) and all(found)


def _places(block: bytes) -> list[int]:
    places, place = [], block.find(_MARK)
    while place >= 0:
        places.append(place)
        place = block.find(_MARK, place + 1)
    return places


def _is_sound(block: bytes, place: int) -> bool:
    """Return whether the objects of a heap fill it."""
    if place + _HEAP.size > len(block):
        return False
    _, version, size = _HEAP.unpack_from(block, place)
    end = place + size
    if version != 1 or end > len(block):
        return False
    place += _HEAP.size
    while place + _OBJECT.size <= end:
        index, _, length = _OBJECT.unpack_from(block, place)
        # The space behind the last object, which counts its own head.
        if index == 0:
            return length == end - place
        place += _OBJECT.size + (length + 7) // 8 * 8
    return place <= end
