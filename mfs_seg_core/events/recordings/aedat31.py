# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
AEDAT 3.1 files of cAER: lines of '#' up to ``#!END-HEADER``, then packets of events.

Numbers are little endian. A packet has a header of 28 bytes: type (16 bits), source (16), and, of
32 bits each, size of an event, offset of its time, overflows of the time, capacity, number of
events, number of valid ones. Then come the events: 32 bits with valid in bit 0, polarity in 1, row
in 16..2 and column in 31..17; and the time in us, 31 bits, above which the overflows count. In
special events, bits 7..1 are the kind.

Source: iniVation, "AEDAT 3.1"; libcaer, common.h, polarity.h and special.h.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mfs_seg_core.events.recordings.recording import ArrayRecording, Recording
from mfs_seg_core.events.types import Triggers
from mfs_seg_core.util.text import printable

_HEADER = struct.Struct('<hhiiiiii')
_END = b'#!END-HEADER\r\n'
LONGEST_HEAD = 1 << 20
SPECIAL, POLARITY, LAST_TYPE = 0, 1, 13
BYTES = 8
# Larger packets are damage.
LARGEST_PACKET = 1 << 28
# Kinds of special events: rising edge, falling edge and pulse at the input.
RISING, FALLING, PULSE = 2, 3, 4
# Sizes by a part of the source's name, in lower case.
SIZES = {'dvs128': (128, 128), 'davis128': (128, 128), 'davis208': (208, 192),
         'davis240': (240, 180), 'davis346': (346, 260), 'davis640': (640, 480),
         'davishet640': (640, 480), 'dvs132': (132, 104), 'dvxplorer': (640, 480)}


def open_file(path: Path, topic: str, size: tuple[int, int] | None) -> Recording:
    """Open an AEDAT 3.1 file."""
    return Aedat31Recording(path, size)


class Aedat31Recording(ArrayRecording):
    """An AEDAT 3.1 file, read packet by packet; of several cameras, the first with events."""

    def __init__(self, path: Path, size: tuple[int, int] | None):
        self.path = path
        with path.open('rb') as file:
            head, end, _ = file.read(LONGEST_HEAD).partition(_END)
        if not end:
            raise ValueError(f'{path} is AEDAT 3 without the end of its header: convert it to '
                             'AEDAT 4 with DV, or fetch it again')
        self._start = len(head) + len(end)
        head = head.decode('utf-8', 'replace')
        kind = re.search(r'^#\s*Format:\s*(\S+)', head, re.MULTILINE)
        if kind and kind[1] != 'RAW':
            raise ValueError(f'{path} has packets of format {printable(kind[1])}: convert it to '
                             'AEDAT 4 with DV')
        self._begin()
        self._source = next((source for _, source, _, _ in self._packets(POLARITY)), None)
        if self._source is None:
            reason = (f'{self.notes[0]}, and no events before' if self.notes else
                      'it has no packets of polarity events')
            raise ValueError(f'{path} cannot be read as AEDAT 3.1, {reason}: fetch it again, or '
                             'give another recording')
        name = re.search(rf'^#\s*Source\s+{self._source}:\s*(\S+)', head, re.MULTILINE)
        stated = next((sensor for part, sensor in SIZES.items()
                       if name and part in name[1].lower()), None)
        super().__init__(path, 'aedat3', stated or size)

    def _arrays(self) -> Iterator[tuple[np.ndarray, ...]]:
        for kind, source, overflows, words in self._packets(POLARITY, SPECIAL):
            if source != self._source:
                continue
            valid = words[:, 0] & 1 > 0
            if kind == POLARITY:
                self._faults['marked invalid'] += int((~valid).sum())
            data, t = words[valid].T.astype(np.int64)
            t += overflows << 31
            if kind == POLARITY:
                yield t, data >> 17, data >> 2 & 0x7fff, data & 2 > 0
                continue
            kinds = data >> 1 & 0x7f
            chosen = np.isin(kinds, (RISING, FALLING, PULSE))
            if chosen.any():
                self._triggers.append(Triggers(
                    t[chosen], np.zeros(int(chosen.sum()), np.uint8), kinds[chosen] != FALLING))

    def _packets(self, *kinds: int) -> Iterator[tuple[int, int, int, np.ndarray]]:
        """Yield type, source, overflows and events uint32 ``[N, 2]`` of packets of some types."""
        with self.path.open('rb') as file:
            file.seek(self._start)
            while header := file.read(_HEADER.size):
                place = file.tell() - len(header)
                if len(header) < _HEADER.size:
                    self._note_cut('ends', place)
                    return
                kind, source, size, _, overflows, capacity, number, _ = _HEADER.unpack(header)
                length = size * capacity
                fits = size == BYTES or kind not in (SPECIAL, POLARITY)
                if not (0 <= kind <= LAST_TYPE and 0 < size and fits and 0 <= overflows
                        and 0 <= number <= capacity and length <= LARGEST_PACKET):
                    self._note_cut('is damaged', place)
                    return
                if kind not in kinds:
                    file.seek(length, 1)
                    continue
                data = file.read(length)
                whole = min(len(data) // BYTES, number)
                if whole:
                    yield kind, source, overflows, np.frombuffer(
                        data, '<u4', 2 * whole).reshape(-1, 2)
                if len(data) < length:
                    self._note_cut('ends', place)
                    return

    def _note_cut(self, what: str, place: int) -> None:
        self._faults['cut word'] += 1
        self.notes.append(f'the file {what} in the packet at byte {place:,}')
