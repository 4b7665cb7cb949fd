# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The event tensor made by torch, on a GPU: only the events cross to it, not the grid."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mfs_seg_core.events.tensor import EventWindow, cells_of, outside


def event_tensor_on(device: torch.device, window: EventWindow, bins: int, width: int, height: int
                    ) -> Tensor:
    """
    Return :func:`mfs_seg_core.events.tensor.event_tensor` as a tensor on a device.

    :param device: the device.
    :param window: the events of one step.
    :param bins: B, number of time bins.
    :param width: columns of the grid.
    :param height: rows of the grid.
    :returns: float32 ``[2 * B, height, width]``.
    :raises ValueError: if an event lies outside the window or the sensor.
    """
    cells, pixels = cells_of(window, width, height)
    columns, rows = window.size
    # torch supports int64 on all devices, unlike uint16.
    t, x, y, p = (torch.from_numpy(field.astype(np.int64)).to(device) for field in window.events)
    if ((t < window.start_us) | (t >= window.end_us) | (x >= columns) | (y >= rows)).any():
        raise outside(window)
    cell = torch.from_numpy(cells).to(device)[y * columns + x]
    place = (t - window.start_us).double() * ((bins - 1) / (window.end_us - window.start_us))
    low = place.long()
    share = place - low
    grid = torch.zeros(2 * bins * width * height, dtype=torch.float64, device=device)
    for bin_of, part in ((low, 1 - share), (low + 1, share)):
        kept = (cell >= 0) & (bin_of < bins)
        index = (2 * bin_of + p) * (width * height) + cell
        grid.index_add_(0, index[kept], part[kept])
    return grid.float().div_(pixels).log1p_().view(2 * bins, height, width)
