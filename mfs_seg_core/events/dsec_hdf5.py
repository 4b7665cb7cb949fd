# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Event files of DSEC: HDF5, compressed with Blosc.

::

    events/{t,x,y,p}   N events; t in microseconds since t_offset
    ms_to_idx          index of the first event at or after each millisecond of t
    t_offset           time of t = 0 in microseconds, on the clock of the labels and images;
                       0 if absent

Source: Gehrig et al. 2021; uzh-rpg/DSEC, README and scripts/utils/eventslicer.py.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from mfs_seg_core.events.types import Events, Window
from mfs_seg_core.util.extras import missing


def import_h5py():
    """
    Import h5py and, for Blosc, hdf5plugin, which only event files in HDF5 need.

    :returns: the module h5py.
    :raises ValueError: if one of them is not installed.
    """
    try:
        import h5py
        import hdf5plugin  # noqa: F401  (registers Blosc)
    except ModuleNotFoundError as error:
        raise ValueError(f'event files in HDF5 need {missing(error.name)}') from None
    return h5py


def open_hdf5(path: Path):
    """
    Open an HDF5 file for reading.

    :param path: the file.
    :returns: the open ``h5py.File``.
    :raises ValueError: if the file is missing or not HDF5, or h5py is not installed.
    """
    h5py = import_h5py()
    if not path.is_file():
        raise ValueError(f'{path} is missing: fetch it, or correct the path')
    try:
        return h5py.File(path, 'r')
    except OSError as error:
        raise ValueError(f'{path} cannot be read as HDF5: fetch it again') from error


class EventFile:
    """
    Event file of DSEC, of which one window at a time is read.

    Each process that reads opens the file once, because HDF5 handles survive neither a fork nor
    pickling.

    :param path: the file; the constructor reads its index only.
    :raises ValueError: if the file is missing or damaged, or its index does not fit its events.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._file, self._process = None, None
        with open_hdf5(self.path) as file:
            missing = [name for name in ('events/t', 'events/x', 'events/y', 'events/p',
                                         'ms_to_idx') if name not in file]
            if missing:
                raise ValueError(f'{self.path} lacks {", ".join(missing)}: expected an event file '
                                 'of DSEC')
            sizes = {file[f'events/{name}'].shape for name in Events._fields}
            if len(sizes) != 1 or len(min(sizes)) != 1:
                raise ValueError(f'{self.path} has {sizes} of t, x, y and p: expected one length')
            self.count = sizes.pop()[0]
            self.offset_us = int(file['t_offset'][()]) if 't_offset' in file else 0
            index = self._read(file, 'ms_to_idx', slice(None)).astype(np.int64)
        if index.ndim != 1 or (np.diff(index) < 0).any():
            raise ValueError(f'{self.path}: ms_to_idx decreases or is not a list: expected the '
                             'index of the first event of each millisecond')
        if index.size and not 0 <= index[0] <= index[-1] <= self.count:
            raise ValueError(f'{self.path}: ms_to_idx goes from {index[0]} to {index[-1]}: '
                             f'expected indices of {self.count} events')
        # The appended end closes the last millisecond; without an index, it is the only range.
        self._ms_to_index = np.append(index if index.size else [0], self.count)

    def read(self, stamp_us: int, window: Window) -> Events:
        """
        Read the events of the window that ends at a stamp.

        :param stamp_us: end of the window in microseconds, on the clock of ``t_offset``.
        :param window: length of the window.
        :returns: the events as stored, t on the clock of ``t_offset``.
        :raises ValueError: if the index does not fit the events, or they cannot be read.
        """
        end = self._index_at(stamp_us)
        return self.read_range(window.first(end, lambda us: self._index_at(stamp_us - us)), end)

    def read_range(self, first: int, end: int) -> Events:
        """
        Read a range of events.

        :param first: index of the first event.
        :param end: index after the last event.
        :returns: the events as stored, t on the clock of ``t_offset``.
        :raises ValueError: if they cannot be read.
        """
        t, x, y, p = (self._read(self._opened(), f'events/{name}', slice(first, end))
                      for name in Events._fields)
        return Events(t.astype(np.int64) + self.offset_us, x.astype(np.uint16),
                      y.astype(np.uint16), p > 0)

    def _index_at(self, stamp_us: int) -> int:
        """Return the index of the first event at or after a stamp."""
        since = stamp_us - self.offset_us
        if since <= 0:
            return 0
        last = len(self._ms_to_index) - 2
        ms = min(since // 1000, last)
        begin, end = self._ms_to_index[ms:ms + 2].tolist()
        t = self._read(self._opened(), 'events/t', slice(begin, end))
        if t.size and (t[0] < ms * 1000 or (ms < last and t[-1] >= (ms + 1) * 1000)):
            raise ValueError(f'{self.path}: ms_to_idx names events of {t[0]} to {t[-1]} us as '
                             f'those of millisecond {ms}: fetch the file again')
        return begin + int(np.searchsorted(t, since))

    def _opened(self):
        if self._process != os.getpid():
            # After a fork, parent and child would share one file position.
            if self._file is not None:
                self._file.close()
            self._file, self._process = open_hdf5(self.path), os.getpid()
        return self._file

    def _read(self, file, name: str, chosen: slice) -> np.ndarray:
        try:
            return file[name][chosen]
        except OSError as error:
            raise ValueError(f'{self.path}: {name} cannot be read: fetch the file again') from error

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_file': None, '_process': None}
