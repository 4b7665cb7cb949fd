# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The loop over events that makes a tensor of them; importing this compiles it, or loads it."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def accumulate(t, x, y, p, cells, width, height, start, end, scale, grid):
    """
    Add events to ``grid``, float32 ``[2 * B, cells]``; see :mod:`mfs_seg_core.events.tensor`.

    :returns: whether an event lies outside the sensor or the window; the grid is of no use then.
    """
    bins, count = grid.shape[0] // 2, grid.shape[1]
    places = grid.reshape(-1)
    # Unsigned: what is negative is large then, and Numba takes any other index for one that may
    # count from the end.
    span, row = np.uint64(end - start), np.uint64(width)
    for i in range(len(t)):
        since = t[i] - start
        # One branch for all three; it is never taken.
        if (np.uint64(since) >= span) | (x[i] >= width) | (y[i] >= height):
            return True
        cell = np.int64(cells[np.uint64(y[i]) * row + np.uint64(x[i])])
        if cell < 0:
            continue
        moment = since * scale
        low = np.int64(moment)
        share = moment - low
        place = np.uint64((2 * low + p[i]) * count + cell)
        places[place] += 1 - share
        if low + 1 < bins:
            places[place + np.uint64(2 * count)] += share
    return False
