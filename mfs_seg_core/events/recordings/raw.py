# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
RAW files of Prophesee's cameras: a header of '%' lines, then the stream of the camera.

The header names the encoding, ``% evt 3.0`` or ``% format EVT3;height=720;width=1280``, and may
have ``% geometry 1280x720``; newer headers end with ``% end``. What it does not state follows from
the camera; see :mod:`mfs_seg_core.events.recordings.prophesee_header`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mfs_seg_core.events.recordings.prophesee_header import (
    ENCODINGS,
    LONGEST_HEADER,
    byte_order,
    camera_of,
    checked_size,
    read_header,
)
from mfs_seg_core.events.recordings.recording import Recording
from mfs_seg_core.events.types import Events
from mfs_seg_core.util.text import printable

# Bytes of a stream per chunk: at most some million events, in vectors of EVT3.
BLOCK = 1 << 18
# Type of EVT2.1 words that hold the upper part of the time.
TIME_HIGH = 0x8
DEFAULT_SIZES = {'evt2': (640, 480), 'evt21': (1280, 720), 'evt3': (1280, 720)}


def open_file(path: Path, topic: str, size: tuple[int, int] | None) -> Recording:
    """Open a RAW file."""
    with path.open('rb') as file:
        header, end = read_header(file.read(LONGEST_HEADER))
    return RawRecording(path, header, end, size)


class RawRecording(Recording):
    """A RAW file, its stream read in blocks of bytes."""

    def __init__(self, path: Path, header: dict[str, str], start: int,
                 size: tuple[int, int] | None):
        self.path, self.start = path, start
        camera, origin = camera_of(header)
        name, *rest = header.get('format', '').split(';')
        options = dict(option.strip().partition('=')[::2] for option in rest)
        if not name and 'evt' in header:
            name = f'evt {header["evt"]}'
        if not name and not camera:
            raise ValueError(f'{path} does not name its encoding: a RAW file has a line '
                             '"% evt 3.0" or "% format EVT3" at its start, a DAT file '
                             '"% Version 2"')
        encoding = ENCODINGS.get(name.strip().lower()) if name else camera.encoding
        if encoding is None:
            raise ValueError(f"{path} is encoded as '{printable(name)}': give a RAW file of EVT3, "
                             'EVT2 or EVT2.1')
        stated = self._stated(header, options)
        if not stated and not size:
            self.size_origin = origin or f'usual sensor of {encoding.upper()}'
        size = stated or size or (camera.size if camera else DEFAULT_SIZES[encoding])
        if encoding == 'evt21':
            order = byte_order(header, options) or self._likely_order()
            encoding = 'evt21_legacy' if order == 'legacy' else 'evt21'
        super().__init__(path, encoding, size)

    def _stated(self, header: dict[str, str], options: dict[str, str]) -> tuple[int, int] | None:
        """Return the size that the header states, in one line or in two that agree."""
        found = [checked_size(self.path, options.get('width'), options.get('height')),
                 checked_size(self.path, *header.get('geometry', '').partition('x')[::2])]
        found = [size for size in found if size]
        if len(set(found)) > 1:
            raise ValueError(f'{self.path} declares two sizes of its sensor, '
                             f'{" and ".join(f"{w} x {h}" for w, h in found)}: correct its header')
        return found[0] if found else None

    def _likely_order(self) -> str:
        """Return the byte order of EVT2.1 in which the first words have more times."""
        with self.path.open('rb') as file:
            file.seek(self.start)
            block = file.read(BLOCK)
        halves = np.frombuffer(block[:len(block) // 8 * 8], '<u4').reshape(-1, 2)
        # The lower half of a TIME_HIGH is unused; that of an event is a mask, which is not 0.
        little, legacy = (int(((upper >> 28 == TIME_HIGH) & (lower == 0)).sum())
                          for lower, upper in (halves.T, halves.T[::-1]))
        return 'legacy' if legacy > little else 'little'

    def _chunks(self) -> Iterator[Events]:
        decoder = self._new_decoder(self.encoding, self.size)
        with self.path.open('rb') as file:
            file.seek(self.start)
            while block := file.read(BLOCK):
                yield self._decoded(decoder, decoder.decode(block))
        # Count an incomplete word at the end.
        decoder.report_gap()
