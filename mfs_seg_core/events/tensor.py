# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The event tensor: the network's input for the events of one step.

One voxel grid per polarity. An event at time t adds 1, shared linearly between the two nearest of B
bins, whose centres lie evenly from the start of the window to its end (Zhu et al., CVPR 2019, with
one grid, in which the polarities cancel out)::

    place = (t - start) / (end - start) * (B - 1)
    bin b gets max(0, 1 - |place - b|)

A cell holds log(1 + n) for n events per pixel of the sensor. The logarithm compresses the few
pixels that have most of the events; the mean makes sensors of different resolutions comparable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfs_seg_core.events.pixel_map import PixelMap
from mfs_seg_core.events.types import Events


@dataclass(frozen=True)
class EventWindow:
    """
    The events of one step.

    :param events: events with ``start_us <= t < end_us``.
    :param start_us: start of the window in microseconds.
    :param end_us: end of the window in microseconds.
    :param size: width and height of the sensor in pixels.
    :param pixel_map: positions of its pixels in the camera's frame; None: same field of view.
    :raises ValueError: if the window has no duration, or the map is of another sensor.
    """

    events: Events
    start_us: int
    end_us: int
    size: tuple[int, int]
    pixel_map: PixelMap | None = None

    def __post_init__(self):
        if self.start_us >= self.end_us:
            raise ValueError(f'a window from {self.start_us} to {self.end_us} us has no '
                             'duration: give a start before its end')
        if self.pixel_map is not None and self.pixel_map.size != tuple(self.size):
            raise ValueError(f'the pixel map is for a sensor of {_by(self.pixel_map.size)} pixels, '
                             f'the events come from one of {_by(self.size)}: give the map of '
                             'this sensor')


def event_tensor(window: EventWindow, bins: int, width: int, height: int) -> np.ndarray:
    """
    Return the voxel grid of a window of events.

    :param window: the events of one step.
    :param bins: B, number of time bins; 1: plain counts.
    :param width: columns of the grid, the width of the network's input.
    :param height: rows of the grid, the height of the network's input.
    :returns: float32 ``[2 * B, height, width]``; channel ``2 * b`` has the OFF events of bin b,
        channel ``2 * b + 1`` the ON events.
    :raises ValueError: if an event lies outside the window or the sensor.
    """
    cells, pixels = cells_of(window, width, height)
    grid = _counts(window, bins, cells, width * height)
    grid /= np.float32(pixels)
    return np.log1p(grid, out=grid).reshape(2 * bins, height, width)


_maps: dict[tuple[int, int], PixelMap] = {}


def cells_of(window: EventWindow, width: int, height: int) -> tuple[np.ndarray, float]:
    """
    Return the cells of a grid that events fall into.

    :param window: the events.
    :param width: columns of the grid.
    :param height: rows of the grid.
    :returns: cell of each pixel of the sensor, int32; -1: none; and the pixels of a cell.
    """
    pixel_map = window.pixel_map or _scaling(tuple(window.size))
    # At least 1: in a grid finer than the sensor, an event still counts 1 in its cell.
    return pixel_map.cells(width, height), max(1.0, pixel_map.inside_count / (width * height))


def _scaling(size: tuple[int, int]) -> PixelMap:
    if size not in _maps:
        _maps.clear()
        _maps[size] = PixelMap.scaling(size)
    return _maps[size]


def _counts(window: EventWindow, bins: int, cells: np.ndarray, count: int) -> np.ndarray:
    """Return the events of each cell, float32 ``[2 * B, cells]``, in one pass by Numba."""
    try:
        from mfs_seg_core.events.tensor_kernel import accumulate
    except ModuleNotFoundError:
        return _counts_by_numpy(window, bins, cells, count)
    grid = np.zeros((2 * bins, count), np.float32)
    scale = (bins - 1) / (window.end_us - window.start_us)
    wrong = accumulate(*window.events, cells, *window.size, window.start_us, window.end_us, scale,
                       grid)
    if wrong:
        raise outside(window)
    return grid


def _counts_by_numpy(window: EventWindow, bins: int, cells: np.ndarray, count: int) -> np.ndarray:
    """Return the same without Numba."""
    t, x, y, p = window.events
    width, height = window.size
    if ((t < window.start_us) | (t >= window.end_us) | (x >= width) | (y >= height)).any():
        raise outside(window)
    cell = cells[y.astype(np.int64) * width + x].astype(np.int64)
    place = (t - window.start_us) * ((bins - 1) / (window.end_us - window.start_us))
    low = place.astype(np.int64)
    share = place - low
    grid = np.zeros(2 * bins * count)
    for bin_of, part in ((low, 1 - share), (low + 1, share)):
        kept = (cell >= 0) & (bin_of < bins)
        index = (2 * bin_of + p) * count + cell
        grid += np.bincount(index[kept], part[kept], grid.size)
    return grid.astype(np.float32).reshape(2 * bins, count)


def outside(window: EventWindow) -> ValueError:
    """Return the error of a window with an event that lies outside its span or sensor."""
    events, size = window.events, window.size
    if int(events.x.max()) >= size[0] or int(events.y.max()) >= size[1]:
        return ValueError(f'events reach pixel ({events.x.max()}, {events.y.max()}), outside '
                          f'{_by(size)}: give the size of the sensor, or cut them to it first')
    return ValueError(f'events from {events.t.min()} to {events.t.max()} us are not all in the '
                      f'window from {window.start_us} to {window.end_us} us: cut them to it first')


def _by(size: tuple[int, int]) -> str:
    return f'{size[0]}x{size[1]}'
