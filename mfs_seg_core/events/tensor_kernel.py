# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numba kernel of the event tensor; importing it compiles it or loads it from the cache."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def accumulate(t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray, cells: np.ndarray,
               width: int, height: int, start: int, end: int, scale: float,
               grid: np.ndarray) -> bool:
    """
    Add events to a voxel grid; :mod:`mfs_seg_core.events.tensor` defines it.

    :param t: times, int64 ``[N]``, microseconds.
    :param x: columns, uint16 ``[N]``.
    :param y: rows, uint16 ``[N]``.
    :param p: polarities, bool ``[N]``.
    :param cells: cell of each pixel of the sensor, int32 ``[width * height]``; -1: none.
    :param width: columns of the sensor.
    :param height: rows of the sensor.
    :param start: start of the window in microseconds.
    :param end: end of the window in microseconds.
    :param scale: bins per microsecond, ``(B - 1) / (end - start)``.
    :param grid: float32 ``[2 * B, cells]``, changed in place.
    :returns: whether an event lies outside the sensor or the window; the grid is then incomplete.
    """
    bins, count = grid.shape[0] // 2, grid.shape[1]
    places = grid.reshape(-1)
    # Unsigned: negative times become large ones, and Numba adds no check for negative indices.
    span, row = np.uint64(end - start), np.uint64(width)
    for i in range(len(t)):
        since = t[i] - start
        # One branch for all three conditions, which is hardly ever taken.
        if (np.uint64(since) >= span) | (x[i] >= width) | (y[i] >= height):
            return True
        cell = np.int64(cells[np.uint64(y[i]) * row + np.uint64(x[i])])
        if cell < 0:
            continue
        position = since * scale
        low = np.int64(position)
        share = position - low
        place = np.uint64((2 * low + p[i]) * count + cell)
        places[place] += 1 - share
        if low + 1 < bins:
            places[place + np.uint64(2 * count)] += share
    return False
