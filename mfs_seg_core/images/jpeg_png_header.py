# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Size and completeness of a JPEG or a PNG, read before memory is allocated for pixels."""

from __future__ import annotations

import struct

PNG = b'\x89PNG\r\n\x1a\n'
# Bytes of a chunk besides its content: length, kind and checksum.
PNG_CHUNK = 12
JPEG = b'\xff\xd8'
# Start of frame: the markers C0 to CF except those of tables and extensions.
JPEG_FRAMES = {*range(0xc0, 0xd0)} - {0xc4, 0xc8, 0xcc}
# Markers without a segment.
JPEG_ALONE = {0x01, *range(0xd0, 0xd9)}
# Bounds the search in a corrupt file; cameras write a few segments before the frame.
MAX_SEGMENTS = 1000
# Ends a JPEG. Drivers send their whole buffer, with zeros or a few bytes after the end.
JPEG_END = b'\xff\xd9'
MAX_AFTER_END, MAX_ZEROS = 256, 1 << 20


def announced_size(data: bytes | memoryview) -> tuple[int, int] | None:
    """Return width and height in pixels of a JPEG or PNG; None: another format, or corrupt."""
    if data[:8] == PNG and data[12:16] == b'IHDR' and len(data) >= 24:
        return struct.unpack_from('>II', data, 16)
    return _size_of_jpeg(data) if data[:2] == JPEG else None


def is_cut(data: bytes | memoryview) -> bool:
    """
    Return whether a JPEG or a PNG lacks its end.

    OpenCV before 4.10 paints what is missing of a JPEG grey, and OpenCV allocates the length that
    a damaged chunk of a PNG declares.
    """
    if data[:8] == PNG:
        return _is_cut_png(data)
    tail = bytes(data[-MAX_ZEROS:]).rstrip(b'\0')[-MAX_AFTER_END:]
    return data[:2] == JPEG and JPEG_END not in tail


def _is_cut_png(data: bytes | memoryview) -> bool:
    offset = len(PNG)
    while offset + PNG_CHUNK <= len(data):
        length, kind = struct.unpack_from('>I4s', data, offset)
        offset += PNG_CHUNK + length
        if kind == b'IEND':
            break
    else:
        return True
    return offset > len(data)


def _size_of_jpeg(data: bytes | memoryview) -> tuple[int, int] | None:
    offset = 2
    for _ in range(MAX_SEGMENTS):
        if len(data) < offset + 9 or data[offset] != 0xff:
            return None
        marker = data[offset + 1]
        if marker in JPEG_FRAMES:
            height, width = struct.unpack_from('>HH', data, offset + 5)
            return width, height
        if marker == 0xff or marker in JPEG_ALONE:
            # Any number of fill bytes 0xff may precede a marker.
            offset += 1 if marker == 0xff else 2
        else:
            offset += 2 + struct.unpack_from('>H', data, offset + 2)[0]
    return None
