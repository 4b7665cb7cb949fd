# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The loop over events that makes a tensor of them; importing this compiles it, or loads it."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def accumulate(t, x, y, p, cells, width, height, start, end, scale, grid):
    """
    Add events to ``grid``, float32 ``[2 * B, cells]``; see :mod:`mfs_seg_core.events.tensor`.

    :returns: whether an event lies outside the sensor or the window; the grid is of no use then.
    """
    bins = grid.shape[0] // 2
    for i in range(len(t)):
        if x[i] >= width or y[i] >= height or t[i] < start or t[i] >= end:
            return True
        cell = cells[y[i] * width + x[i]]
        if cell < 0:
            continue
        place = (t[i] - start) * scale
        low = int(place)
        share = place - low
        channel = 2 * low + p[i]
        grid[channel, cell] += 1 - share
        if low + 1 < bins:
            grid[channel + 2, cell] += share
    return False
