# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Operations that run together, row by row.

Threads wait for each other between operations, and the spikes of a whole plane leave the cache. An
operation that takes no more than one row of the result of those before it needs neither: one thread
computes the row of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mfs_seg_core.engine.program import Operation


def reads(operation: Operation) -> dict[int, bool]:
    """Return the planes that an operation reads, and whether a row of it takes that row only."""
    planes = {plane: not resized for plane, resized in operation.adds}
    if operation.input is not None:
        planes[operation.input] = (operation.kernel == operation.stride == 1
                                   and planes.get(operation.input, True))
    return planes


def writes(operation: Operation) -> set[int]:
    """Return the planes of currents and spikes that an operation writes."""
    return {*operation.stores, *(neurons.spikes for neurons in operation.neurons)}


def joined_operations(operations: Sequence[Operation], rows: Callable[[Operation], int]
                      ) -> list[bool]:
    """
    Find the operations that run together with the one before them.

    :param operations: operations of a program, in the order of execution.
    :param rows: returns the number of rows of an operation.
    :returns: for each operation, whether it does.
    """
    joined, height = [], 0
    # Planes that the operations which run together write, whether row by row, and those of which
    # they read other rows.
    written: dict[int, bool] = {}
    around: set[int] = set()
    for operation in operations:
        taken, given = reads(operation), writes(operation)
        joins = (rows(operation) == height
                 and all(taken[plane] and written[plane] for plane in taken.keys() & written.keys())
                 and not given & around)
        if not joins:
            height, written, around = rows(operation), {}, set()
        joined.append(joins)
        # An operation on the even or odd rows of a plane writes two rows for each of its own.
        written |= dict.fromkeys(given, operation.part is None)
        around |= {plane for plane, of_row in taken.items() if not of_row}
    return joined
