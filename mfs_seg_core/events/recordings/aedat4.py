# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
AEDAT 4 files of iniVation's cameras: events, frames and triggers.

The packages that read this format stop the process on damaged lengths, so that it is read here; see
:mod:`mfs_seg_core.events.recordings.aedat4_file`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mfs_seg_core.events.recordings.aedat4_file import Aedat4File
from mfs_seg_core.events.recordings.flatbuffer import FlatTable
from mfs_seg_core.events.recordings.recording import ArrayRecording, Recording
from mfs_seg_core.events.types import Triggers

_EVENT = np.dtype({'names': ['t', 'x', 'y', 'on'], 'formats': ['<i8', '<i2', '<i2', 'u1'],
                   'offsets': [0, 8, 10, 12], 'itemsize': 16})
# Sources of external triggers: rising edge, falling edge, pulse.
RISING, FALLING, PULSE = 1, 2, 3
# Channels of the pixels of a frame by its format: grey, BGR, BGRA.
CHANNELS = {0: 1, 16: 3, 24: 4}


def open_file(path: Path, topic: str, size: tuple[int, int] | None) -> Recording:
    """Open an AEDAT 4 file."""
    return Aedat4Recording(path, size)


class Aedat4Recording(ArrayRecording):
    """An AEDAT 4 file, read packet by packet; of several cameras, the first."""

    def __init__(self, path: Path, size: tuple[int, int] | None):
        self.path, self._file = path, Aedat4File(path)
        streams = sorted(self._file.streams.items())
        # By kind, the first stream.
        self._numbers = {stream.kind: number for number, stream in reversed(streams)}
        if 'EVTS' not in self._numbers:
            raise ValueError(f'{path} has no stream of events: give a recording of an event camera')
        first = self._file.streams[self._numbers['EVTS']]
        stated = (first.width, first.height)
        super().__init__(path, 'aedat4',
                         stated if all(0 < pixels <= 0xffff for pixels in stated) else size)

    def frames(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the frames of the first camera."""
        for _, frame in self._packets(FRME=_frame):
            yield frame

    def _arrays(self) -> Iterator[tuple[np.ndarray, ...]]:
        for kind, content in self._packets(EVTS=_events, TRIG=_triggers):
            if kind == 'EVTS':
                yield content
            elif content.t.size:
                self._triggers.append(content)

    def _packets(self, **readers: Callable[[FlatTable], Any]) -> Iterator[tuple[str, Any]]:
        """Yield kind and content of the packets that have a reader; damaged ones are counted."""
        chosen = {self._numbers[kind]: kind for kind in readers if kind in self._numbers}
        count = 0
        try:
            for number, packet in self._file.packets():
                count += 1
                if number not in chosen:
                    continue
                kind = chosen[number]
                try:
                    content = readers[kind](packet())
                except ValueError:
                    self._faults['damaged packets'] += 1
                    continue
                yield kind, content
        except EOFError:
            self._faults['cut word'] += 1
            self.notes.append(f'the file ends or is damaged behind packet {count:,}: fetch or '
                              'record it again')


def _events(packet: FlatTable) -> tuple[np.ndarray, ...]:
    """Return t, x, y and polarity of a packet of events."""
    events = packet.array(0, _EVENT)
    return events['t'], events['x'], events['y'], events['on'] > 0


def _triggers(packet: FlatTable) -> Triggers:
    """Return the edges in a packet of triggers, which also has other signals."""
    edges = [(item.number(0, 'q'), item.number(1, 'b')) for item in packet.tables(0)]
    t, sources = np.array([edge for edge in edges if edge[1] in (RISING, FALLING, PULSE)],
                          np.int64).reshape(-1, 2).T
    return Triggers(t, np.zeros(len(t), np.uint8), sources != FALLING)


def _frame(packet: FlatTable) -> tuple[int, np.ndarray]:
    """Return the time of a frame, and its pixels."""
    channels = CHANNELS.get(packet.number(5, 'b'))
    width, height = packet.number(6, 'h'), packet.number(7, 'h')
    pixels = packet.array(10, np.dtype(np.uint8))
    if not channels or not pixels.size or pixels.size != width * height * channels:
        raise ValueError('the size of a frame is not that of its pixels')
    image = pixels.reshape(height, width, channels)
    return packet.number(0, 'q'), image[..., 0] if channels == 1 else image[..., 2::-1]
