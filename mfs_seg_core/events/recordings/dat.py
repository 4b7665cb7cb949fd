# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
DAT files of Prophesee: a header of '%' lines, then events of 8 bytes.

The header has ``% Version 2`` and may have ``% Width`` and ``% Height``. One byte for the type of
the events and one for their size follow, then the events, little endian: t in us (32 bits, wraps),
x in bits 13..0, y in 27..14, polarity in 31..28.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mfs_seg_core.events.recordings.prophesee_header import (
    LONGEST_HEADER,
    checked_size,
    read_header,
)
from mfs_seg_core.events.recordings.recording import (
    CHUNK,
    ArrayRecording,
    Recording,
    WrappingTime,
)
from mfs_seg_core.util.text import printable

# Types of event, both changes of brightness, and bytes per event.
TYPES = (0, 12)
BYTES = 8


def open_file(path: Path, topic: str, size: tuple[int, int] | None) -> Recording:
    """Open a DAT file."""
    with path.open('rb') as file:
        start = file.read(LONGEST_HEADER)
    header, end = read_header(start)
    return DatRecording(path, header, start[end:end + 2], end + 2, size)


class DatRecording(ArrayRecording):
    """A DAT file, read in chunks of events."""

    def __init__(self, path: Path, header: dict[str, str], kind: bytes, start: int,
                 size: tuple[int, int] | None):
        version = header.get('Version', '2')
        if version != '2' or len(kind) < 2 or kind[0] not in TYPES or kind[1] != BYTES:
            raise ValueError(f'{path} holds events of version {printable(version)}, type and size '
                             f'{list(kind)}: give a DAT file of version 2 with changes of '
                             'brightness, type 0 or 12 and size 8')
        self.start = start
        stated = checked_size(path, header.get('Width'), header.get('Height'))
        super().__init__(path, 'dat', stated or size)

    def _arrays(self) -> Iterator[tuple[np.ndarray, ...]]:
        time = WrappingTime()
        with self.path.open('rb') as file:
            file.seek(self.start)
            while data := file.read(CHUNK * BYTES):
                whole = len(data) - len(data) % BYTES
                self._faults['cut word'] += whole < len(data)
                t, word = np.frombuffer(data[:whole], '<u4').reshape(-1, 2).T.astype(np.int64)
                yield time.extend(t), word & 0x3fff, word >> 14 & 0x3fff, word >> 28 > 0
