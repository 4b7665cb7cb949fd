# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reader of FlatBuffers whose bytes may be damaged: all places are checked."""

from __future__ import annotations

import struct

import numpy as np


class FlatTable:
    """
    A table in a FlatBuffer.

    :param data: the buffer.
    :param place: offset of the table; None: that of the root.
    :raises ValueError: if it lies outside the buffer.
    """

    def __init__(self, data: bytes, place: int | None = None):
        self._data = data
        self._place = self._number('<I', 0) if place is None else place
        self._fields = self._place - self._number('<i', self._place)
        self._size = self._number('<H', self._fields)

    def number(self, slot: int, code: str, default: int = 0) -> int:
        """
        Return a scalar field.

        :param slot: number of the field.
        :param code: its format character in :mod:`struct`.
        :param default: value if the field is absent.
        :returns: the value.
        :raises ValueError: if it lies outside the buffer.
        """
        place = self._field(slot)
        return default if place is None else self._number(f'<{code}', place)

    def array(self, slot: int, kind: np.dtype) -> np.ndarray:
        """
        Return a vector of scalars or structures.

        :param slot: number of the field.
        :param kind: dtype of an element.
        :returns: a view of the elements ``[N]``; an absent field has none.
        :raises ValueError: if it lies outside the buffer.
        """
        place, count = self._vector(slot)
        if count * kind.itemsize > len(self._data) - place:
            raise ValueError('a vector exceeds its buffer')
        return np.frombuffer(self._data, kind, count, place) if count else np.empty(0, kind)

    def tables(self, slot: int) -> list[FlatTable]:
        """
        Return a vector of tables.

        :param slot: number of the field.
        :returns: the tables.
        :raises ValueError: if one lies outside the buffer.
        """
        place, _ = self._vector(slot)
        offsets = self.array(slot, np.dtype('<u4')).tolist()
        return [FlatTable(self._data, place + 4 * i + offset) for i, offset in enumerate(offsets)]

    def _vector(self, slot: int) -> tuple[int, int]:
        """Return the place of the first element, and their number."""
        place = self._field(slot)
        if place is None:
            return 0, 0
        place += self._number('<I', place)
        return place + 4, self._number('<I', place)

    def _field(self, slot: int) -> int | None:
        entry = 4 + 2 * slot
        offset = self._number('<H', self._fields + entry) if entry + 2 <= self._size else 0
        return self._place + offset if offset else None

    def _number(self, code: str, place: int) -> int:
        if not 0 <= place <= len(self._data) - struct.calcsize(code):
            raise ValueError('a field exceeds its buffer')
        return struct.unpack_from(code, self._data, place)[0]
