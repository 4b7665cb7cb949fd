# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings that are tables of numbers: text, NumPy and HDF5."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mfs_seg_core.events.recordings.columns import chosen_order, named_order, order_by_values
from mfs_seg_core.events.recordings.sensors import looks_swapped
from mfs_seg_core.events.recordings.time_unit import (
    checked_unit,
    microseconds,
    unit_by_values,
    unit_of,
)

# Rows that order and unit are determined from.
SAMPLE = 10_000


def find_order(path: Path, rows: np.ndarray, columns: str, names: Sequence[str] = ()
               ) -> tuple[int, ...]:
    """
    Return the order of the columns of a table.

    :param path: the file, for the error message.
    :param rows: the first events, float64 ``[N, C]``.
    :param columns: the order, as the caller gives it; empty: not given.
    :param names: names of the columns; empty: they have none.
    :returns: indices of t, x, y and p.
    :raises ValueError: if the order remains in doubt.
    """
    try:
        order = (chosen_order(columns, rows.shape[1]) if columns else
                 named_order(names) or order_by_values(rows))
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    if order is None:
        raise ValueError(f'{path} has columns of which neither names nor values tell which are t, '
                         'x, y and p: give their order, for example --columns x,y,p,t')
    return order


def check_extent(path: Path, size: tuple[int, int], columns: str, names: Sequence[str] = ()
                 ) -> None:
    """
    Check the bounding box of all events of a table whose order was determined from values.

    :param path: the file, for the error message.
    :param size: width and height of the bounding box.
    :param columns: the order, as the caller gives it; empty: not given.
    :param names: names of the columns; empty: they have none.
    :raises ValueError: if the box is that of a usual sensor with x and y swapped.
    """
    if not columns and not named_order(names) and looks_swapped(*size):
        raise ValueError(f'{path} has events up to {size[0]} x {size[1]}, which is a usual sensor '
                         'with x and y swapped: give the order, for example --columns x,y,p,t')


def find_unit(path: Path, t: np.ndarray, unit: str, name: str = '') -> str:
    """
    Return the unit of the times of a table.

    :param path: the file, for the error message.
    :param t: times of the first events, ``[N]``.
    :param unit: the unit, as the caller gives it; empty: not given.
    :param name: name of the column; empty: it has none.
    :returns: the unit.
    :raises ValueError: if the unit remains in doubt.
    """
    try:
        unit = checked_unit(unit) or unit_of(name) or unit_by_values(t)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    if not unit:
        raise ValueError(f'{path} has times of which the values do not tell the unit: give it, for '
                         'example --unit us')
    return unit


def check_numbers(path: Path, arrays: Sequence[np.ndarray], remedy: str) -> None:
    """
    Check that t, x, y and p are lists of numbers.

    :param path: the file, for the error message.
    :param arrays: t, x, y and p.
    :param remedy: end of the error message.
    :raises ValueError: if one has several dimensions or no numbers, or t has truth values.
    """
    if any(array.ndim != 1 or array.dtype.kind not in 'iufb' for array in arrays) or (
            arrays[0].dtype.kind == 'b'):
        raise ValueError(f'{path} has t, x, y or p that are no lists of numbers: {remedy}')


def table_microseconds(path: Path, t: np.ndarray, unit: str) -> np.ndarray:
    """
    Convert the times of a table to microseconds.

    :param path: the file, for the error message.
    :param t: times, ``[N]``.
    :param unit: their unit.
    :returns: times in microseconds, int64 ``[N]``.
    :raises ValueError: if a time is out of range.
    """
    try:
        return microseconds(t, unit)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
