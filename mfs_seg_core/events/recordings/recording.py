# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Base classes of recordings: iteration in chunks, faults, triggers, the size of the sensor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mfs_seg_core.events.decoders import open_decoder
from mfs_seg_core.events.types import Events, Triggers

# Events per chunk.
CHUNK = 100_000
BOUNDING_BOX = 'bounding box of the events'


class Recording:
    """
    Recording of one event camera, in one or several files; a subclass reads one format.

    Iteration starts at the first event and yields chunks, of which only one is in memory. All
    events lie on the sensor. ``faults``, ``accepted``, ``notes`` and ``triggers`` belong to the
    last iteration.

    :param path: the file or folder.
    :param encoding: one of :data:`mfs_seg_core.events.decoders.ENCODINGS`, or the name of the
        layout of a file.
    :param size: width and height of the sensor.
    """

    #: Topic that the events come from, in a bag; name of the events, in HDF5 with several.
    topic = ''
    #: Source of the size, in words; empty if the recording or the caller states it.
    size_origin = ''
    #: Number of events that the last iteration yielded.
    accepted = 0

    def __init__(self, path: Path, encoding: str, size: tuple[int, int]):
        self.path, self.encoding, self.size = path, encoding, size
        #: Times of the last chunk's events, int64 [N], in units of unit_ns nanoseconds.
        self.stamps = np.empty(0, np.int64)
        self.unit_ns = 1000
        self._begin()

    def __iter__(self) -> Iterator[Events]:
        self._begin()
        for events in self._chunks():
            if events.count:
                self.accepted += events.count
                yield events

    @property
    def faults(self) -> dict[str, int]:
        """Return the number of faults by cause; causes without a fault are left out."""
        total = Counter(self._faults)
        for decoder in self._decoders:
            total.update(decoder.faults)
        return {cause: count for cause, count in total.items() if count}

    @property
    def triggers(self) -> Triggers:
        """Return the external triggers."""
        if not self._triggers:
            return Triggers(np.empty(0, np.int64), np.empty(0, np.uint8), np.empty(0, np.bool_))
        return Triggers(*map(np.concatenate, zip(*self._triggers)))

    def frames(self) -> Iterator[tuple[int, np.ndarray]]:
        """
        Yield the frames that the camera recorded together with its events.

        A bag yields none here: its frames are messages of another topic.

        :yields: time of the middle of the exposure in microseconds, on the clock of the events, and
            the frame, uint8 ``[H, W]`` grey or ``[H, W, 3]`` RGB.
        """
        yield from ()

    def _chunks(self) -> Iterator[Events]:
        """Read the events from the start, in chunks."""
        raise NotImplementedError

    def _begin(self) -> None:
        """Clear the faults, notes and triggers of the last iteration."""
        self.accepted = 0
        #: Clauses about parts that could not be read.
        self.notes: list[str] = []
        self._faults: Counter[str] = Counter()
        self._decoders: list = []
        self._triggers: list[Triggers] = []

    def _new_decoder(self, encoding: str, size: tuple[int, int]):
        decoder = open_decoder(encoding, *size)
        self._decoders.append(decoder)
        self.unit_ns = decoder.UNIT_NS
        return decoder

    def _decoded(self, decoder, events: Events) -> Events:
        """Store the stamps and triggers of a decoded chunk, and return its events."""
        self.stamps = decoder.stamps
        triggers = decoder.triggers
        if triggers.t.size:
            self._triggers.append(triggers)
        return events


class WrappingTime:
    """Extension of times of 32 bits, which wrap, to 64 bits; its state lasts between chunks."""

    def __init__(self):
        self._last = self._wraps = 0

    def extend(self, t: np.ndarray) -> np.ndarray:
        """
        Add 2^32 for each wrap so far.

        :param t: times of the next events, int64 ``[N]``, each below 2^32.
        :returns: times ``[N]`` that continue those of the last call.
        """
        # A smaller fall is an event out of order.
        wraps = self._wraps + np.cumsum(np.diff(t, prepend=self._last) < -(1 << 31))
        if t.size:
            self._last, self._wraps = t[-1], wraps[-1]
        return t + (wraps << 32)


class ArrayRecording(Recording):
    """
    Recording that is read as arrays, whose values are checked here.

    :param path: the file.
    :param encoding: name of the format.
    :param size: width and height of the sensor; None: the bounding box of the events.
    """

    def __init__(self, path: Path, encoding: str, size: tuple[int, int] | None):
        super().__init__(path, encoding, size or (1, 1))
        if size is None:
            self.size = self._extent()
            self.size_origin = BOUNDING_BOX
            self._begin()

    def _arrays(self) -> Iterator[tuple[np.ndarray, ...]]:
        """Read t in microseconds, x, y and p of events from the start, in chunks."""
        raise NotImplementedError

    def _extent(self) -> tuple[int, int]:
        """Return width and height of the bounding box of all events, from the corner (0, 0)."""
        # NaN is ignored: it counts as outside the sensor.
        largest = [(np.fmax.reduce(x), np.fmax.reduce(y)) for _, x, y, _ in self._arrays()
                   if len(x)]
        # Values that do not fit into 16 bits count as outside the sensor later.
        columns, rows = np.clip(np.nan_to_num(np.max(largest or [(0, 0)], 0)), 0, 0xfffe)
        return int(columns) + 1, int(rows) + 1

    def _chunks(self) -> Iterator[Events]:
        latest = None
        for t, x, y, p in self._arrays():
            inside = (x >= 0) & (x < self.size[0]) & (y >= 0) & (y < self.size[1])
            self._faults['outside the sensor'] += len(t) - int(inside.sum())
            if not inside.all():
                t, x, y, p = t[inside], x[inside], y[inside], p[inside]
            events = Events(t.astype(np.int64), x.astype(np.uint16), y.astype(np.uint16),
                            p.astype(np.bool_))
            if events.count:
                first = events.t[0] if latest is None else latest
                falls = np.diff(events.t, prepend=first) < 0
                self._faults['time went back'] += int(falls.sum())
                latest = events.t[-1]
            self.stamps = events.t
            yield events
