# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
NumPy files of events: ``.npy`` with one array, ``.npz`` with one array or with t, x, y and p.

An array is structured with fields t, x, y and p, or has four or five columns or rows.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mfs_seg_core.events.recordings.columns import field_of, named_order
from mfs_seg_core.events.recordings.recording import CHUNK, ArrayRecording, Recording
from mfs_seg_core.events.recordings.table import (
    SAMPLE,
    check_extent,
    check_numbers,
    find_order,
    find_unit,
    table_microseconds,
)
from mfs_seg_core.util.text import printable

# Columns of an array without names.
WIDTHS = (4, 5)


def open_file(path: Path, topic: str, size: tuple[int, int] | None, columns: str,
              unit: str) -> Recording:
    """Open a NumPy file."""
    return NumpyRecording(path, size, columns, unit)


class NumpyRecording(ArrayRecording):
    """Arrays of events, read in chunks; those of an archive are unpacked into memory."""

    def __init__(self, path: Path, size: tuple[int, int] | None, columns: str, unit: str):
        self.path, self._missing, self._by_values = path, 0, False
        self._fields, name = self._find_fields(columns)
        lengths = {len(field) for field in self._fields}
        if len(lengths) > 1:
            raise ValueError(f'{path} has {sorted(lengths)} of t, x, y and p: expected one length')
        check_numbers(path, self._fields, 'save each as an array of one dimension')
        self._unit = find_unit(path, self._fields[0][:SAMPLE], unit, name)
        super().__init__(path, 'numpy', size)
        if self._by_values and self.size_origin:
            check_extent(path, self.size, columns)

    def _find_fields(self, columns: str) -> tuple[list[np.ndarray], str]:
        """Return t, x, y and p, and the name of t."""
        arrays = self._loaded()
        if len(arrays) > 1 and (order := named_order([*arrays])):
            names = [*arrays]
            return [arrays[names[i]] for i in order], names[order[0]]
        # Beside other arrays, the one of events.
        named = [name for name in arrays if 'event' in name.lower()]
        if len(arrays) != 1 and len(named) != 1:
            raise ValueError(f'{self.path} holds {printable(", ".join(arrays)) or "nothing"}: '
                             'expected arrays t, x, y and p, or one of events')
        array = arrays[named[0]] if named else next(iter(arrays.values()))
        if array.dtype.names:
            order = named_order(array.dtype.names)
            if order is None:
                raise ValueError(f'{self.path} has fields {printable(", ".join(array.dtype.names))}'
                                 ': expected t, x, y and p')
            return ([array[array.dtype.names[i]] for i in order], array.dtype.names[order[0]])
        if array.ndim == 2 and array.shape[1] not in WIDTHS and array.shape[0] in WIDTHS:
            array = array.T
        if array.ndim != 2 or array.shape[1] not in WIDTHS or array.dtype.kind not in 'iuf':
            raise ValueError(f'{self.path} holds an array of {array.dtype} and shape '
                             f'{array.shape}: expected events as fields t, x, y and p, or as four '
                             'columns')
        if not len(array):
            return [array[:, i] for i in range(4)], ''
        self._by_values = True
        order = find_order(self.path, np.asarray(array[:SAMPLE], np.float64), columns)
        return [array[:, i] for i in order], ''

    def _loaded(self) -> dict[str, np.ndarray]:
        """Return the arrays of the file by name; that of ``.npy`` is mapped."""
        try:
            with self.path.open('rb') as file:
                if file.read(2) != b'PK':
                    file.seek(0)
                    return {'': self._mapped(file)}
            with np.load(self.path, allow_pickle=False) as loaded:
                names = [*loaded.files]
                wanted = [name for name in names if field_of(name) or 'event' in name.lower()]
                return {name: loaded[name] for name in (wanted or names)}
        # NumPy and zipfile raise errors of any kind on damaged files.
        except Exception as error:
            pickled = 'pickle' in str(error)
            reason = ('holds pickled objects, which can run code: save plain arrays' if pickled
                      else 'cannot be read as NumPy: fetch or save it again')
            raise ValueError(f'{self.path} {reason}') from None

    def _mapped(self, file: BinaryIO) -> np.ndarray:
        """Map the array of ``.npy``; of a cut one, the rows that are there."""
        version = np.lib.format.read_magic(file)
        read = (np.lib.format.read_array_header_1_0 if version == (1, 0) else
                np.lib.format.read_array_header_2_0)
        with warnings.catch_warnings():
            # NumPy warns about files of Python 2, which are readable.
            warnings.simplefilter('ignore')
            shape, fortran, kind = read(file)
        if kind.hasobject:
            raise ValueError('pickled objects')
        start, size = file.tell(), file.seek(0, os.SEEK_END)
        width = kind.itemsize * math.prod(shape[1:])
        rows = (size - start) // width if shape and width and not fortran else 0
        if shape and 0 < rows < shape[0]:
            self._missing = shape[0] - rows
            shape = (rows, *shape[1:])
        return np.memmap(file, kind, 'r', start, shape, 'F' if fortran else 'C')

    def _arrays(self) -> Iterator[tuple[np.ndarray, ...]]:
        if self._missing:
            self._faults['cut word'] += 1
            self.notes.append(f'the file lacks its last {self._missing:,} events: copy or save it '
                              'again')
        for first in range(0, len(self._fields[0]), CHUNK):
            t, x, y, p = (np.asarray(field[first:first + CHUNK]) for field in self._fields)
            yield table_microseconds(self.path, t, self._unit), x, y, p > 0
