# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
AEDAT 2.0 files of jAER and v2e: lines of '#', then an address and a time for each event.

Both are 32 bits, big endian; the time is in microseconds and wraps. The address depends on the
chip, which jAER names in the line ``# AEChip``::

    chip     size     y       x       polarity  not an event of brightness
    DAVIS    various  30..22  21..12  11        31 set: frame or IMU; 10 set: external input
    DVS128   128x128  14..8   7..1    0, 0 = ON 15 or 31 set: external input
    v2e 640  640x480  20..11  10..1   0

v2e names no chip, so that the addresses tell which it is. The origin of addresses is the lower
right corner of the image; here it is the upper left one, as in all other formats.

Source: iniVation, "AEDAT 2.0"; SensorsINI/jaer, DavisBaseCamera.java and DVS128.java;
SensorsINI/v2e, aedat2_output.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mfs_seg_core.events.recordings.recording import (
    CHUNK,
    ArrayRecording,
    Recording,
    WrappingTime,
)
from mfs_seg_core.util.text import printable

BYTES = 8
_LINE = re.compile(rb'#[^\n]*\n')
# Longest head that is searched: preferences of jAER take some hundred kilobytes.
LONGEST_HEAD = 1 << 24
# The end of the head in newer files of jAER.
_END = b'#End Of ASCII Header'


class Chip(NamedTuple):
    """
    Layout of addresses.

    :param y_shift: lowest bit of the row.
    :param x_shift: lowest bit of the column.
    :param p_shift: bit of the polarity.
    :param bits: number of bits of the row, and of the column.
    :param on: value of the polarity bit in ON events.
    :param special: bits that are 0 in events of brightness.
    :param sizes: possible sizes, the smallest first.
    """

    y_shift: int
    x_shift: int
    p_shift: int
    bits: tuple[int, int]
    on: int
    special: int
    sizes: tuple[tuple[int, int], ...]


_DAVIS_SIZES = ((240, 180), (346, 260), (640, 480))
DAVIS = Chip(22, 12, 11, (9, 10), 1, 0x8000_0400, _DAVIS_SIZES)
DVS128 = Chip(8, 1, 0, (7, 7), 0, 0x8000_8000, ((128, 128),))
V2E_640 = Chip(11, 1, 0, (10, 10), 1, 0, ((640, 480),))
# By a part of the name of jAER's class, in lower case; the longer ones first.
CHIPS = {
    **{name: DAVIS._replace(sizes=(size,)) for name, size in (
        ('davis128', (128, 128)), ('davis208', (208, 192)), ('davis240', (240, 180)),
        ('sbret', (240, 180)), ('davis346', (346, 260)), ('davis640', (640, 480)))},
    'davis': DAVIS, 'dvs128': DVS128, 'tmpdiff128': DVS128, 'dvs640': V2E_640,
}


def open_file(path: Path, topic: str, size: tuple[int, int] | None) -> Recording:
    """Open an AEDAT 2.0 file."""
    return Aedat20Recording(path, size)


class Aedat20Recording(ArrayRecording):
    """An AEDAT 2.0 file, read in chunks of events."""

    def __init__(self, path: Path, size: tuple[int, int] | None):
        self.path = path
        self._begin()
        with path.open('rb') as file:
            start = file.read(LONGEST_HEAD)
        if not start.startswith(b'#!AER-DAT2'):
            raise ValueError(f'{path} is AEDAT of version {printable(_version(start))}: convert it '
                             'to AEDAT 4 with DV, or to AEDAT 2.0 with jAER')
        head, self._start = read_head(start)
        names = re.findall(r'^#\s*AEChip:\s*(\S+)', head, re.MULTILINE)
        name = names[-1].rpartition('.')[2] if names else ''
        known = [chip for part, chip in CHIPS.items() if part in name.lower()]
        if name and not known:
            raise ValueError(f'{path} is of the chip {printable(name)}, whose addresses are not '
                             'known here: convert it to AEDAT 4 with DV')
        self._chip = known[0] if known else self._likely_chip()
        if known and len(self._chip.sizes) == 1:
            size = self._chip.sizes[0]
        elif size is None:
            extent = np.add(self._largest(), 1)
            size = next((one for one in self._chip.sizes if (extent <= one).all()),
                        self._chip.sizes[-1])
            self.size_origin = 'smallest usual sensor that holds the addresses'
        super().__init__(path, 'aedat2', size)

    def _likely_chip(self) -> Chip:
        """Return the layout by the bits that are used in the addresses."""
        used = 0
        for words in self._words():
            address = words[:, 0]
            # Frames and IMU samples have bit 31.
            used |= int(np.bitwise_or.reduce(address[address < 1 << 31], initial=0))
        return DVS128 if used < 1 << 16 else V2E_640 if used < 1 << 21 else DAVIS

    def _largest(self) -> tuple[int, int]:
        """Return the largest column and row of all addresses."""
        largest = [(x.max(), y.max()) for _, x, y, _ in self._events() if len(x)]
        return tuple(np.max(largest or [(0, 0)], 0))

    def _words(self) -> Iterator[np.ndarray]:
        """Yield addresses and times, uint32 ``[N, 2]``."""
        with self.path.open('rb') as file:
            file.seek(self._start)
            while data := file.read(CHUNK * BYTES):
                whole = len(data) - len(data) % BYTES
                self._faults['cut word'] += whole < len(data)
                yield np.frombuffer(data[:whole], '>u4').reshape(-1, 2)

    def _events(self) -> Iterator[tuple[np.ndarray, ...]]:
        """Yield t, column and row of the address, and polarity."""
        chip, time = self._chip, WrappingTime()
        for words in self._words():
            words = words[words[:, 0] & chip.special == 0]
            address, t = words.T.astype(np.int64)
            row, column = (address >> shift & (1 << bits) - 1 for shift, bits in zip(
                (chip.y_shift, chip.x_shift), chip.bits))
            yield time.extend(t), column, row, (address >> chip.p_shift & 1) == chip.on

    def _arrays(self) -> Iterator[tuple[np.ndarray, ...]]:
        width, height = self.size
        for t, column, row, p in self._events():
            yield t, width - 1 - column, height - 1 - row, p


def read_head(start: bytes) -> tuple[str, int]:
    """
    Read the lines of '#' at the start of an AEDAT file.

    An address may begin with a '#' too, but then the rest of its line is binary.

    :param start: the first bytes.
    :returns: the lines, and the offset of their end.
    """
    end, lines = 0, []
    while line := _LINE.match(start, end):
        text = line[0].rstrip(b'\r\n').decode('utf-8', 'replace')
        if not text.replace('\t', '').replace('\ufffd', '').isprintable():
            break
        end = line.end()
        lines.append(text)
        if line[0].startswith(_END):
            break
    return '\n'.join(lines), end


def _version(start: bytes) -> str:
    return start[len('#!AER-DAT'):].split(b'\n')[0].decode('ascii', 'replace').strip()
