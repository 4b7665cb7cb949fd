# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""AEDAT4 files of iniVation's cameras, read by the package aedat: events and frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mfs_seg_core.events.recordings.recording import ArrayRecording, Recording
from mfs_seg_core.events.types import Triggers
from mfs_seg_core.util.text import printable

# Sources of external triggers: rising edge, falling edge, pulse.
RISING, FALLING, PULSE = 1, 2, 3


def open_file(path: Path, topic: str, size: tuple[int, int] | None) -> Recording:
    """Open an AEDAT4 file."""
    try:
        import aedat
    except ModuleNotFoundError:
        raise ValueError(f'{path} needs aedat to be read: pip install "mfs_seg_ros[events]"'
                         ) from None
    return Aedat4Recording(path, aedat.Decoder)


class Aedat4Recording(ArrayRecording):
    """An AEDAT4 file, read packet by packet; of several cameras, the first."""

    def __init__(self, path: Path, decoder: type):
        self.path, self._decoder = path, decoder
        streams = [stream for _, stream in sorted(self._opened().id_to_stream().items())
                   if stream['type'] == 'events']
        if not streams:
            raise ValueError(f'{path} has no stream of events: give a recording of an event camera')
        super().__init__(path, 'aedat4', (streams[0]['width'], streams[0]['height']))

    def frames(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the frames of the first camera."""
        for packet in self._packets('frame'):
            pixels = packet['frame']['pixels']
            # RGBA without its alpha channel.
            yield int(packet['frame']['t']), pixels if pixels.ndim == 2 else pixels[..., :3]

    def _arrays(self) -> Iterator[tuple[np.ndarray, ...]]:
        for packet in self._packets('events', 'triggers'):
            if 'events' in packet:
                events = packet['events']
                yield events['t'], events['x'], events['y'], events['on']
            else:
                triggers = packet['triggers']
                triggers = triggers[np.isin(triggers['source'], (RISING, FALLING, PULSE))]
                if triggers.size:
                    self._triggers.append(Triggers(
                        triggers['t'].astype(np.int64), np.zeros(triggers.size, np.uint8),
                        triggers['source'] != FALLING))

    def _packets(self, *kinds: str) -> Iterator[dict]:
        """Yield the packets of the first stream of each kind."""
        decoder = self._opened()
        streams = sorted(decoder.id_to_stream().items())
        chosen = {next((number for number, stream in streams if stream['type'] == kind), None)
                  for kind in kinds}
        some = 0
        while True:
            try:
                packet = self._guarded(lambda: next(decoder, None))
            except ValueError:
                if not some:
                    raise
                # A recorder that was stopped, or a copy that was cut, leaves the rest out.
                self._faults['cut word'] += 1
                self.notes.append(f'the file ends or is damaged behind packet {some:,}: fetch or '
                                  'record it again')
                return
            if packet is None:
                return
            some += 1
            if packet['stream_id'] in chosen:
                yield packet

    def _opened(self):
        return self._guarded(lambda: self._decoder(self.path))

    def _guarded(self, call):
        """
        Call the package aedat, and convert its errors.

        On damaged files it raises errors of any kind, or a Rust panic, which is a BaseException.

        :raises ValueError: if the call fails.
        """
        try:
            return call()
        except BaseException as error:
            if not isinstance(error, Exception) and type(error).__name__ != 'PanicException':
                raise
            reason = printable(' '.join(str(error).split()).rstrip('.'))
            raise ValueError(f'{self.path} cannot be read as AEDAT4 ({reason}): fetch it again'
                             ) from None
