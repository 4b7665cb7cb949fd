# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
RAW and DAT files of Prophesee's cameras, which begin with header lines of '%'.

The header of RAW names the encoding, ``% evt 3.0`` or ``% format EVT3;height=720;width=1280``, and
may have ``% geometry 1280x720``; newer headers end with ``% end``. The camera's stream follows.

The header of DAT has ``% Version 2`` and may have ``% Width`` and ``% Height``. One byte for the
type of the events and one for their size follow, then events of 8 bytes, little endian: t in us
(32 bits, wraps), x in bits 13..0, y in 27..14, polarity in 31..28.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mfs_seg_core.events.recordings.recording import CHUNK, ArrayRecording, Recording
from mfs_seg_core.events.types import Events

# Printable text only: the stream may begin with a '%' too, but is binary.
_LINE = re.compile(rb'% ?([ -~\t]*?)\r?\n')
LONGEST_HEADER = 1 << 16
# Bytes of a stream per chunk: at most some million events, in vectors of EVT3.
BLOCK = 1 << 18
ENCODINGS = {'evt3': 'evt3', 'evt2': 'evt2', 'evt21': 'evt21',
             'evt 3.0': 'evt3', 'evt 2.0': 'evt2', 'evt 2.1': 'evt21'}
# Sensor names, which are parts of the plugin names in headers.
SENSOR_SIZES = {'gen31': (640, 480), 'gen3': (640, 480), 'genx320': (320, 320),
                'gen4': (1280, 720), 'imx636': (1280, 720)}
DEFAULT_SIZES = {'evt2': (640, 480), 'evt21': (1280, 720), 'evt3': (1280, 720)}
# Types of event in DAT, both changes of brightness, and bytes per event.
DAT_TYPES = (0, 12)
DAT_EVENT = 8


def open_file(path: Path, topic: str, size: tuple[int, int] | None) -> Recording:
    """Open a RAW or DAT file."""
    with path.open('rb') as file:
        start = file.read(LONGEST_HEADER)
    header, end = read_header(start)
    if 'evt' in header or 'format' in header:
        return RawRecording(path, header, end, size)
    if 'Version' in header or path.suffix == '.dat':
        return DatRecording(path, header, start[end:end + 2], end + 2, size)
    raise ValueError(f'{path} does not name its encoding: a RAW file has a line "% evt 3.0" or '
                     '"% format EVT3" at its start, a DAT file "% Version 2"')


def read_header(start: bytes) -> tuple[dict[str, str], int]:
    """Return the header lines, by their first words, and the offset of their end."""
    header, end = {}, 0
    while line := _LINE.match(start, end):
        end = line.end()
        name, _, value = line[1].decode().strip().partition(' ')
        if name == 'end':
            break
        header[name] = value.strip()
    return header, end


class RawRecording(Recording):
    """A RAW file, its stream read in blocks of bytes."""

    def __init__(self, path: Path, header: dict[str, str], start: int,
                 size: tuple[int, int] | None):
        name, *options = header.get('format', f'evt {header.get("evt")}').split(';')
        options = dict(option.strip().partition('=')[::2] for option in options)
        encoding = ENCODINGS.get(name.strip().lower())
        if encoding is None:
            raise ValueError(f"{path} is encoded as '{name}': give a RAW file of EVT3, EVT2 or "
                             'EVT2.1')
        if encoding == 'evt21' and options.get('endianness') == 'legacy':
            encoding = 'evt21_legacy'
        stated = _size(path, options.get('width'), options.get('height')) or _size(
            path, *header.get('geometry', '').partition('x')[::2])
        plugin = header.get('plugin_name', '')
        usual = next((SENSOR_SIZES[sensor] for sensor in SENSOR_SIZES if sensor in plugin),
                     DEFAULT_SIZES[encoding.partition('_')[0]])
        super().__init__(path, encoding, stated or size or usual)
        self.start = start

    def _chunks(self) -> Iterator[Events]:
        decoder = self._new_decoder(self.encoding, self.size)
        with self.path.open('rb') as file:
            file.seek(self.start)
            while block := file.read(BLOCK):
                yield self._decoded(decoder, decoder.decode(block))
        # Count an incomplete word at the end.
        decoder.report_gap()


class DatRecording(ArrayRecording):
    """A DAT file, read in chunks of events."""

    def __init__(self, path: Path, header: dict[str, str], kind: bytes, start: int,
                 size: tuple[int, int] | None):
        version = header.get('Version', '2')
        if version != '2' or len(kind) < 2 or kind[0] not in DAT_TYPES or kind[1] != DAT_EVENT:
            raise ValueError(f'{path} holds events of version {version}, type and size '
                             f'{list(kind)}: give a DAT file of version 2 with changes of '
                             'brightness, type 0 or 12 and size 8')
        self.start = start
        stated = _size(path, header.get('Width'), header.get('Height'))
        super().__init__(path, 'dat', stated or size)

    def _arrays(self) -> Iterator[tuple[np.ndarray, ...]]:
        last = wrapped = 0
        with self.path.open('rb') as file:
            file.seek(self.start)
            while data := file.read(CHUNK * DAT_EVENT):
                whole = len(data) - len(data) % DAT_EVENT
                self._faults['cut word'] += whole < len(data)
                t, word = np.frombuffer(data[:whole], '<u4').reshape(-1, 2).T.astype(np.int64)
                if t.size:
                    wraps = np.cumsum(np.diff(t, prepend=last) < -(1 << 31))
                    last, t = t[-1], t + (wrapped + wraps << 32)
                    wrapped += wraps[-1]
                yield t, word & 0x3fff, word >> 14 & 0x3fff, word >> 28 > 0


def _size(path: Path, width: str | None, height: str | None) -> tuple[int, int] | None:
    """Return the size of the sensor in a header, None if it has none."""
    if not width and not height:
        return None
    try:
        size = int(width or 0), int(height or 0)
    except ValueError:
        size = 0, 0
    if not all(0 < pixels <= 0xffff for pixels in size):
        raise ValueError(f"{path} declares a sensor of '{width}' x '{height}' pixels: correct "
                         'its header')
    return size
