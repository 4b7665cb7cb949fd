# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The event tensor: what a network sees of the events of one step.

A voxel grid for each polarity. An event at time t adds 1, shared linearly between the two nearest
of B moments, which lie evenly from the start of the window to its end (Zhu et al., CVPR 2019; there
with one grid, in which polarities cancel out)::

    place = (t - start) / (end - start) * (B - 1)
    bin b gets max(0, 1 - |place - b|)

Then log(1 + n), n events a pixel of the sensor: the log because a few pixels count most events, the
mean because a finer sensor has no more to say about a cell of the network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mfs_seg_core.events.pixel_map import PixelMap
from mfs_seg_core.events.types import Events


@dataclass(frozen=True)
class EventWindow:
    """
    The events of one step.

    :param events: with ``start_us <= t < end_us``.
    :param size: width and height of the sensor in pixels.
    :param pixel_map: where its pixels lie in the camera's frame; None: the same picture, scaled.
    :raises ValueError: the window is empty, or the map is of another sensor.
    """

    events: Events
    start_us: int
    end_us: int
    size: tuple[int, int]
    pixel_map: PixelMap | None = None

    def __post_init__(self):
        if self.start_us >= self.end_us:
            raise ValueError(f'a window from {self.start_us} to {self.end_us} us holds no time: '
                             'give a start before its end')
        if self.pixel_map is not None and self.pixel_map.size != tuple(self.size):
            raise ValueError(f'the pixel map is for a sensor of {_by(self.pixel_map.size)} pixels, '
                             f'the events come from one of {_by(self.size)}: give the map of '
                             'this sensor')


def event_tensor(window: EventWindow, bins: int, width: int, height: int,
                 device: torch.device | str = 'cpu') -> Tensor:
    """
    Make the tensor of a window of events, on the device that the network runs on.

    :param bins: B, moments of the window; 1: plain counts.
    :param width, height: cells of the grid, the network's pixels.
    :returns: float32 ``[2 * B, height, width]``; channel ``2 * b`` of what became darker about
        moment b, ``2 * b + 1`` of what became brighter. Zeros where nothing happened.
    :raises ValueError: an event lies outside the window or the sensor.
    """
    pixel_map = window.pixel_map or _scaling(tuple(window.size))
    cells = pixel_map.cells(width, height)
    count = _count_on_cpu if torch.device(device).type == 'cpu' else _count
    counts = count(window, bins, cells, width * height, device)
    # At least 1: more cells than pixels leave gaps between them, which are no weaker events.
    pixels = max(1.0, pixel_map.seen / (width * height))
    return counts.div_(pixels).log1p_().view(2 * bins, height, width)


_maps: dict[tuple[int, int], PixelMap] = {}


def _scaling(size: tuple[int, int]) -> PixelMap:
    if size not in _maps:
        _maps.clear()
        _maps[size] = PixelMap.scaling(size)
    return _maps[size]


def _count_on_cpu(window: EventWindow, bins: int, cells: np.ndarray, count: int, device) -> Tensor:
    """Count in one pass through the events, compiled by Numba; without it, as elsewhere."""
    try:
        from mfs_seg_core.events.tensor_kernel import accumulate
    except ModuleNotFoundError:
        return _count(window, bins, cells, count, device)
    grid = np.zeros((2 * bins, count), np.float32)
    scale = (bins - 1) / (window.end_us - window.start_us)
    wrong = accumulate(*window.events, cells, *window.size, window.start_us, window.end_us, scale,
                       grid)
    if wrong:
        raise _outside(window)
    return torch.from_numpy(grid)


def _count(window: EventWindow, bins: int, cells: np.ndarray, count: int,
           device: torch.device | str) -> Tensor:
    """Count with torch, on any device."""
    width, height = window.size
    # Types that torch has on all devices.
    t, x, y, p = (torch.from_numpy(field.astype(np.int64)).to(device) for field in window.events)
    if ((t < window.start_us) | (t >= window.end_us) | (x >= width) | (y >= height)).any():
        raise _outside(window)
    cell = torch.from_numpy(cells).to(device)[y * width + x]
    place = (t - window.start_us).double() * ((bins - 1) / (window.end_us - window.start_us))
    low = place.long()
    share = place - low
    grid = torch.zeros(2 * bins * count, dtype=torch.float64, device=device)
    for bin_of, part in ((low, 1 - share), (low + 1, share)):
        kept = (cell >= 0) & (bin_of < bins)
        index = (2 * bin_of + p) * count + cell
        grid.index_add_(0, index[kept], part[kept])
    return grid.float().view(2 * bins, count)


def _outside(window: EventWindow) -> ValueError:
    events, size = window.events, window.size
    if int(events.x.max()) >= size[0] or int(events.y.max()) >= size[1]:
        return ValueError(f'events reach pixel ({events.x.max()}, {events.y.max()}), outside '
                          f'{_by(size)}: give the size of the sensor, or cut them to it first')
    return ValueError(f'events from {events.t.min()} to {events.t.max()} us are not all in the '
                      f'window from {window.start_us} to {window.end_us} us: cut them to it first')


def _by(size: tuple[int, int]) -> str:
    return f'{size[0]}x{size[1]}'
