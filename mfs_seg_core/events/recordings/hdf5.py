# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""HDF5 files of events; see :mod:`mfs_seg_core.events.recordings.hdf5_layouts`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mfs_seg_core.events.dsec_hdf5 import import_h5py
from mfs_seg_core.events.recordings.columns import named_order
from mfs_seg_core.events.recordings.hdf5_cut import Padded, missing_bytes, readable_rows
from mfs_seg_core.events.recordings.hdf5_heap import heaps_are_sound
from mfs_seg_core.events.recordings.hdf5_layouts import (
    EventLayout,
    find_layouts,
    items,
    stated_size,
)
from mfs_seg_core.events.recordings.recording import BOUNDING_BOX, CHUNK, ArrayRecording, Recording
from mfs_seg_core.events.recordings.sensors import SENSORS
from mfs_seg_core.events.recordings.table import (
    SAMPLE,
    check_extent,
    check_numbers,
    find_order,
    find_unit,
    table_microseconds,
)
from mfs_seg_core.events.types import Triggers
from mfs_seg_core.util.text import printable

# Id of Prophesee's compression (docs.prophesee.ai, "HDF5 Event File Format").
ECF = 0x8ecf
# Chunks that the bounding box of a known layout is taken from.
PROBES = 16


def open_file(path: Path, topic: str, size: tuple[int, int] | None, columns: str,
              unit: str) -> Recording:
    """Open an HDF5 file."""
    return Hdf5Recording(path, topic, size, columns, unit)


class Hdf5Recording(ArrayRecording):
    """The events of one camera in an HDF5 file, read in chunks of events."""

    def __init__(self, path: Path, topic: str, size: tuple[int, int] | None, columns: str,
                 unit: str):
        self.path = path
        self._h5py = import_h5py()
        self._file, self._process, self._cut = None, None, missing_bytes(path)
        self._layout = self._guarded(lambda: self._chosen(topic))
        self._count = self._guarded(self._readable)
        self._by_values = False
        self._order = self._guarded(lambda: self._find_order(columns))
        self._unit, self._offset = 'us', 0
        sample = self._raw(0, min(SAMPLE, self._count))[0]
        usual = self._guarded(lambda: self._is_usual(sample.dtype))
        self._unit = find_unit(path, sample, unit or (self._layout.unit if usual else ''),
                               self._guarded(self._name_of_time))
        self._offset = self._guarded(self._find_offset)
        super().__init__(path, self._layout.name, size or (1, 1))
        self.size, self.size_origin = self._find_size(size)
        if self._by_values and self.size_origin:
            check_extent(path, self.size, columns)
        self._begin()

    def _chosen(self, topic: str) -> EventLayout:
        """Return the events named ``topic``, or the first."""
        layouts = find_layouts(self._opened())
        places = [layout.place for layout in layouts]
        if not layouts and self._cut:
            raise self._lacking()
        if not layouts:
            found = [name for name, _ in items(self._opened())]
            raise ValueError(f'{self.path} holds no t, x, y and p of events under names that are '
                             f'known: it holds {printable(", ".join(found)) or "nothing"}')
        if topic and topic not in places:
            raise ValueError(f"{self.path} has no events named '{printable(topic)}': it has "
                             f'{printable(", ".join(places))}')
        if len(layouts) > 1:
            self.topic = topic or places[0]
        return layouts[places.index(topic) if topic else 0]

    def _readable(self) -> int:
        """Return the number of events that can be read."""
        datasets = [self._opened()[name] for name in self._layout.parts]
        lengths = {len(dataset) for dataset in datasets}
        if len(lengths) != 1 and not self._cut:
            raise ValueError(f'{self.path} has {sorted(lengths)} of t, x, y and p: expected one '
                             'length')
        if not self._cut:
            return lengths.pop()
        end = self.path.stat().st_size
        rows = min(readable_rows(dataset, end) for dataset in datasets)
        if not rows:
            raise self._lacking()
        return rows

    def _lacking(self) -> ValueError:
        return ValueError(f'{self.path} lacks its last {self._cut:,} bytes, without which no event '
                          'can be read: copy or record it again')

    def _find_order(self, columns: str) -> tuple[int, ...] | None:
        """Return the columns of a table; None: the events are no table."""
        dataset = self._opened()[self._layout.parts[0]]
        if len(self._layout.parts) > 1:
            return None
        if dataset.dtype.names:
            return named_order(dataset.dtype.names)
        rows = dataset[:min(SAMPLE, self._count)].astype(np.float64)
        if self._layout.name == 'mvsec' and not columns:
            return 2, 0, 1, 3
        self._by_values = True
        return find_order(self.path, rows, columns) if len(rows) else (0, 1, 2, 3)

    def _is_usual(self, kind: np.dtype) -> bool:
        """Return whether times are stored as the layout defines it, so that its unit applies."""
        if self._layout.name in ('dsec', 'v2e') and kind.itemsize > 4:
            # Others use the same names for nanoseconds; the index of DSEC is in milliseconds.
            return self._layout.name == 'dsec' and 'ms_to_idx' in self._opened()
        return kind.kind == 'f' if self._layout.unit == 's' else kind.kind in 'iu'

    def _name_of_time(self) -> str:
        """Return the name of the dataset or field of t; empty: it has none of its own."""
        name = self._layout.parts[0]
        if self._order is None:
            return name.rpartition('/')[2]
        return (self._opened()[name].dtype.names or ('',) * 5)[self._order[0]]

    def _find_offset(self) -> int:
        """Return the time of t = 0 in microseconds."""
        places = {'t_offset', f'{self._layout.place}/t_offset'.lstrip('/')}
        values = [self._opened()[place] for place in places if place in self._opened()]
        return int(np.ravel(values[0][()])[0]) if values and self._unit == 'us' else 0

    def _find_size(self, size: tuple[int, int] | None) -> tuple[tuple[int, int], str]:
        """Return the size of the sensor, and its origin if neither file nor caller states it."""
        usual = self._layout.usual
        extent = self._probed() if usual or size else self._extent()
        stated = self._guarded(lambda: stated_size(self._opened(), self._layout, extent,
                                                   heaps_are_sound(self.path)))
        if stated:
            return stated, ''
        if size:
            return size, ''
        if usual is None:
            return extent, BOUNDING_BOX
        for sensor in (usual, *SENSORS):
            if extent[0] <= sensor[0] and extent[1] <= sensor[1]:
                return sensor, (f'usual sensor of {self._layout.name}' if sensor == usual else
                                f'smallest usual sensor that holds events up to {extent[0]}x'
                                f'{extent[1]}')
        return extent, BOUNDING_BOX

    def _probed(self) -> tuple[int, int]:
        """Return the bounding box of chunks that are spread over the file."""
        extent = np.zeros(2, np.int64)
        for first in np.unique(np.linspace(0, max(self._count - CHUNK, 0), PROBES, dtype=int)):
            _, x, y, _ = self._raw(int(first), min(int(first) + CHUNK, self._count))
            if len(x):
                extent = np.fmax(extent, [np.fmax.reduce(x), np.fmax.reduce(y)])
        return tuple((np.clip(extent, 0, 0xfffe).astype(np.int64) + 1).tolist())

    def _raw(self, first: int, end: int) -> list[np.ndarray]:
        """Read t, x, y and p as stored."""
        def read():
            file = self._opened()
            if self._order is None:
                return [file[name][first:end] for name in self._layout.parts]
            rows = file[self._layout.parts[0]][first:end]
            if rows.dtype.names:
                return [rows[rows.dtype.names[i]] for i in self._order]
            return [rows[:, i] for i in self._order]
        arrays = self._guarded(read)
        check_numbers(self.path, arrays,
                      f'expected them under {printable(self._layout.place)}')
        return arrays

    def _arrays(self) -> Iterator[tuple[np.ndarray, ...]]:
        if self._cut:
            self.notes.append(f'the file lacks its last {self._cut:,} bytes, and the events in '
                              'them: copy or record it again')
        for first in range(0, self._count, CHUNK):
            t, x, y, p = self._raw(first, min(first + CHUNK, self._count))
            yield table_microseconds(self.path, t, self._unit) + self._offset, x, y, p > 0
        self._read_triggers()

    def _read_triggers(self) -> None:
        """Read the triggers of Metavision."""
        def read():
            file = self._opened()
            return file['EXT_TRIGGER/events'][:] if 'EXT_TRIGGER/events' in file else None
        if self._layout.name != 'metavision' or self._cut:
            return
        rows = self._guarded(read)
        if rows is not None and len(rows) and {'t', 'p', 'id'} <= set(rows.dtype.names or ()):
            self._triggers.append(Triggers(rows['t'].astype(np.int64), rows['id'].astype(np.uint8),
                                           rows['p'] > 0))

    def _opened(self):
        """Return the open file, one for each process, since parent and child share its place."""
        if self._process != os.getpid():
            source = Padded(self.path, self._cut) if self._cut else self.path
            self._file, self._process = self._h5py.File(source, 'r'), os.getpid()
        return self._file

    def _guarded(self, call):
        """
        Call h5py, and convert its errors, which are of any kind on damaged files.

        :raises ValueError: if the call fails.
        """
        try:
            return call()
        except Exception as error:
            if isinstance(error, ValueError) and str(error).startswith(str(self.path)):
                raise
            if reason := self._missing_filter():
                raise ValueError(reason) from None
            cut = ' (it lacks its end)' if self._cut else ''
            remedy = ('clear its flag with h5clear -s' if 'h5clear' in str(error)
                      else 'fetch or record it again')
            raise ValueError(f'{self.path} cannot be read as HDF5{cut}: {remedy}') from None

    def _missing_filter(self) -> str:
        """Return a sentence about a compression that is not installed; empty: all are."""
        try:
            for name in self._layout.parts:
                filters = self._file[name].id.get_create_plist()
                for index in range(filters.get_nfilters()):
                    number, _, _, title = filters.get_filter(index)
                    if self._h5py.h5z.filter_avail(number):
                        continue
                    if number == ECF:
                        return (f"{self.path} is compressed by Prophesee's ECF: install its plugin "
                                '(github.com/prophesee-ai/hdf5_ecf) and set HDF5_PLUGIN_PATH to '
                                'its folder, or convert the file to RAW')
                    return (f'{self.path} is compressed by filter {number} '
                            f'{printable(title.decode("utf-8", "replace"))!r}: install its HDF5 '
                            'plugin and set HDF5_PLUGIN_PATH to its folder')
        # The layout is not known yet, or damaged.
        except Exception:
            pass
        return ''
