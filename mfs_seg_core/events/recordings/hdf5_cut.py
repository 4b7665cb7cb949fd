# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""HDF5 files that are shorter than their header says, because a program or a copy was stopped."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h5py

# Place of the offset of the end of the file in a superblock, by its version (HDF5 file format
# specification, "Superblock"), for addresses of 8 bytes.
_END_OF_FILE = {0: 40, 1: 44, 2: 28, 3: 28}


def missing_bytes(path: Path) -> int:
    """Return the number of bytes that an HDF5 file lacks at its end; 0: none, or not known."""
    with path.open('rb') as file:
        start = file.read(64)
        size = file.seek(0, io.SEEK_END)
    place = _END_OF_FILE.get(start[8]) if len(start) == 64 else None
    if place is None:
        return 0
    stated = int.from_bytes(start[place:place + 8], 'little')
    # A larger number is damage rather than a cut.
    return stated - size if size < stated < size << 10 else 0


class Padded(io.RawIOBase):
    """
    A file that reads as zeros behind its end, so that HDF5 opens it.

    :param path: the file.
    :param missing: number of bytes to append.
    """

    def __init__(self, path: Path, missing: int):
        super().__init__()
        self._file = path.open('rb')
        self.end = self._file.seek(0, io.SEEK_END)
        self._size, self._place = self.end + missing, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the place of the next byte, as files do."""
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place,
                                io.SEEK_END: self._size}[whence]
        return self._place

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._place

    def readinto(self, buffer) -> int:
        """Fill a buffer, with zeros behind the end of the file."""
        count = max(min(len(buffer), self._size - self._place), 0)
        self._file.seek(self._place)
        data = self._file.read(count)
        buffer[:count] = data + bytes(count - len(data))
        self._place += count
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def readable_rows(dataset: h5py.Dataset, end: int) -> int:
    """
    Return the number of rows of a dataset that lie before the end of a cut file.

    :param dataset: the dataset, of one or two dimensions.
    :param end: size of the file in bytes.
    :returns: number of rows from the first on.
    """
    rows, stored = len(dataset), dataset.id
    if dataset.chunks is None:
        offset = stored.get_offset()
        width = dataset.dtype.itemsize * (dataset.shape[1] if dataset.ndim > 1 else 1)
        return rows if offset is None else max(min((end - offset) // width, rows), 0)
    for first in range(0, rows, dataset.chunks[0]):
        try:
            chunk = stored.get_chunk_info_by_coord((first, 0)[:dataset.ndim])
        # Part of the index of the chunks is cut too.
        except (OSError, RuntimeError, ValueError):
            return first
        if chunk.byte_offset is None or chunk.byte_offset + chunk.size > end:
            return first
    return rows
