# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
PNG files with a palette: pixels are indices, which viewers show in the colours of the palette.

OpenCV decodes such a file to colours, from which the indices cannot be found where two entries of
the palette are equal, and does not write any. A PNG with a palette and a grey one differ in their
headers only (PNG, Third Edition, 11.2 and 11.3), so one is converted to the other here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np

SIGNATURE = b'\x89PNG\r\n\x1a\n'
GREY, PALETTE = 0, 3
# Places of the bit depth and of the kind of pixel in the content of IHDR.
DEPTH, KIND = 8, 9


def stored_depth(data: bytes) -> int:
    """
    Return the bits of one pixel in a PNG whose pixels are single numbers.

    :param data: content of a file.
    :returns: 1, 2, 4, 8 or 16 for a grey PNG or one with a palette; 0 for any other file.
    """
    header = data[len(SIGNATURE) + 8:len(SIGNATURE) + 8 + 13]
    if not data.startswith(SIGNATURE) or len(header) < 13:
        return 0
    return header[DEPTH] if header[KIND] in (GREY, PALETTE) else 0


def as_grey(data: bytes) -> bytes:
    """
    Convert a PNG with a palette to a grey one whose values are the indices.

    :param data: content of a file.
    :returns: content of a grey PNG; the same content for a file of any other kind. Decoders scale
        fewer than 8 bits per pixel to 0..255.
    """
    if not stored_depth(data) or data[len(SIGNATURE) + 8 + KIND] != PALETTE:
        return data
    parts = [SIGNATURE]
    for name, content in _chunks(data):
        if name == b'IHDR':
            content = content[:KIND] + bytes([GREY]) + content[KIND + 1:]
        # A grey PNG has no palette, and transparency means something else in it.
        if name in (b'IHDR', b'IDAT', b'IEND'):
            parts.append(_chunk(name, content))
    return b''.join(parts)


def indexed_png(indices: np.ndarray, palette: np.ndarray) -> bytes:
    """
    Encode indices and a palette as PNG.

    :param indices: uint8 ``[H, W]``.
    :param palette: uint8 ``[N, 3]``, RGB, N up to 256; indices from N on are black.
    :returns: content of a PNG file, 8 bits per pixel.
    """
    colours = np.zeros((max(len(palette), int(indices.max(initial=0)) + 1), 3), np.uint8)
    colours[:len(palette)] = palette
    parts = [SIGNATURE]
    for name, content in _chunks(cv2.imencode('.png', indices)[1].tobytes()):
        if name == b'IHDR':
            content = content[:KIND] + bytes([PALETTE]) + content[KIND + 1:]
        parts.append(_chunk(name, content))
        if name == b'IHDR':
            parts.append(_chunk(b'PLTE', colours.tobytes()))
    return b''.join(parts)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and content of the chunks of a PNG, as far as the file goes."""
    place = len(SIGNATURE)
    while place + 8 <= len(data):
        length, name = struct.unpack_from('>I4s', data, place)
        yield name, data[place + 8:place + 8 + length]
        place += length + 12


def _chunk(name: bytes, content: bytes) -> bytes:
    return (struct.pack('>I', len(content)) + name + content
            + struct.pack('>I', zlib.crc32(name + content)))
