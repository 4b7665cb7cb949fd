# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The size that a JPEG or a PNG announces: looked at before memory is taken for its pixels."""

from __future__ import annotations

import struct

PNG = b'\x89PNG\r\n\x1a\n'
JPEG = b'\xff\xd8'
# Start of frame: all markers C0 to CF but those of tables.
JPEG_FRAMES = {*range(0xc0, 0xd0)} - {0xc4, 0xc8, 0xcc}
# Markers that nothing belongs to.
JPEG_ALONE = {0x01, *range(0xd0, 0xd9)}
# No camera writes as many before the frame.
MAX_SEGMENTS = 1000


def announced_size(data: bytes | memoryview) -> tuple[int, int] | None:
    """Return width and height as the header says them; None: it is neither kind, or is broken."""
    if data[:8] == PNG and data[12:16] == b'IHDR' and len(data) >= 24:
        return struct.unpack_from('>II', data, 16)
    return _size_of_jpeg(data) if data[:2] == JPEG else None


def _size_of_jpeg(data: bytes | memoryview) -> tuple[int, int] | None:
    place = 2
    for _ in range(MAX_SEGMENTS):
        if len(data) < place + 9 or data[place] != 0xff:
            return None
        kind = data[place + 1]
        if kind in JPEG_FRAMES:
            height, width = struct.unpack_from('>HH', data, place + 5)
            return width, height
        if kind == 0xff or kind in JPEG_ALONE:
            # Any number of the first may stand before a marker.
            place += 1 if kind == 0xff else 2
        else:
            place += 2 + struct.unpack_from('>H', data, place + 2)[0]
    return None
