# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Order of the columns of a table of events, from an argument, from names or from the values.

x comes before y where there are no names, because values cannot tell them apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

FIELDS = 'txyp'
# Orders of columns without names that are looked for.
ORDERS = ('txyp', 'tpxy', 'xytp', 'xypt', 'ptxy', 'pxyt')
# Largest coordinate, and polarities.
LARGEST = (1 << 14) - 1
POLARITIES = ({0, 1}, {-1, 1}, {-1, 0, 1})
# Share of rows that may contradict an order: a few events are damaged or out of order.
TOLERANCE = 0.01
_WORDS = {
    't': {'t', 'ts', 'time', 'times', 'stamp', 'stamps', 'tick', 'ticks'},
    'x': {'x', 'xs', 'col', 'column'},
    'y': {'y', 'ys', 'row'},
    'p': {'p', 'ps', 'on', 'sign', 'signs'},
}


def field_of(name: str) -> str:
    """
    Return the field that a name stands for.

    :param name: name of a column, array or dataset, in any case, maybe with a unit.
    :returns: 't', 'x', 'y' or 'p'; empty: none of them.
    """
    words = re.findall(r'[^\W\d_]+', name.lower())
    for word in words:
        if word.startswith('timestamp') or word in _WORDS['t']:
            return 't'
        if word.startswith('polarit') or word == 'pol':
            return 'p'
    for field in 'xyp':
        # Also xpos and ycoord.
        if any(word in _WORDS[field] or re.fullmatch(f'{field}(pos|addr|coord|pix).*', word)
               for word in words):
            return field
    return ''


def named_order(names: Sequence[str]) -> tuple[int, ...] | None:
    """
    Return the columns of t, x, y and p by their names.

    :param names: name of each column.
    :returns: indices of t, x, y and p; None if one is missing or occurs twice.
    """
    fields = [field_of(name) for name in names]
    if any(fields.count(field) != 1 for field in FIELDS):
        return None
    return tuple(map(fields.index, FIELDS))


def chosen_order(columns: str, count: int | None = None) -> tuple[int, ...]:
    """
    Return the columns of t, x, y and p by the argument ``columns``.

    :param columns: names of the columns, for example 'x,y,p,t'.
    :param count: number of columns; None: not known.
    :returns: indices of t, x, y and p.
    :raises ValueError: if one is missing or occurs twice, or there are fewer columns.
    """
    order = named_order(re.split(r'[,\s]+', columns.strip()))
    if order is None:
        raise ValueError(f"columns '{columns}' do not name t, x, y and p once each: give for "
                         'example x,y,p,t')
    if count is not None and max(order) >= count:
        raise ValueError(f"columns '{columns}' are more than the {count} of the file: give those "
                         'that it has')
    return order


def order_by_values(rows: np.ndarray) -> tuple[int, ...] | None:
    """
    Return the columns of t, x, y and p by their values.

    Polarity has two values, coordinates are small integers, and time does not fall, or has values
    that no coordinate has. A fifth column is an index if it is first and counts the rows, and is
    ignored if it is last.

    :param rows: the first events, float64 ``[N, C]``.
    :returns: indices of t, x, y and p; None: in doubt.
    """
    count, width = rows.shape
    first = int(width > 4 and is_index(rows[:, 0]))
    if not count or not 4 <= width - first <= 5:
        return None
    columns = [rows[:, first + i] for i in range(4)]
    falls = [np.mean(np.diff(column) < 0) if count > 1 else 0.0 for column in columns]
    spans = [np.ptp(column) for column in columns]
    found = []
    for order in ORDERS:
        t, x, y, p = map(order.index, FIELDS)
        if (_is_polarity(columns[p]) and _is_coordinate(columns[x]) and _is_coordinate(columns[y])
                and (falls[t] <= TOLERANCE or not _is_coordinate(columns[t]))
                and (spans[t] > 0 or count == 1)):
            found.append((t, x, y, p))
    # A column of time rises all along, and goes farther than a coordinate that rises by chance.
    clear = [one for one in found if all(
        one == other or (falls[one[0]], -spans[one[0]]) < (falls[other[0]], -4 * spans[other[0]])
        for other in found)]
    return tuple(first + i for i in clear[0]) if len(clear) == 1 else None


def is_index(column: np.ndarray) -> bool:
    """Return whether a column counts the rows from 0 or 1, as tables of pandas do."""
    return bool(len(column) > 1 and column[0] in (0, 1) and (np.diff(column) == 1).all())


def _is_polarity(column: np.ndarray) -> bool:
    values = set(np.unique(column[:1000]).tolist())
    return any(values <= allowed for allowed in POLARITIES) and bool((np.abs(column) <= 1).all())


def _is_coordinate(column: np.ndarray) -> bool:
    wrong = (column < 0) | (column > LARGEST) | (column != np.rint(column))
    return np.mean(wrong) <= TOLERANCE
