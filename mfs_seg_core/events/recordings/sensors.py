# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sizes of sensors of event cameras, to judge the bounding box of events."""

from __future__ import annotations

#: Width and height, the smallest first.
SENSORS = ((128, 128), (240, 180), (304, 240), (320, 240), (320, 320), (346, 260), (640, 480),
           (640, 512), (1280, 720), (1280, 800))
# Share of a side that events of a full sensor reach.
_REACHED = 0.97


def looks_swapped(columns: int, rows: int) -> bool:
    """Return whether a bounding box is that of a usual sensor with x and y swapped."""
    return any(width > height and _REACHED * height <= columns <= height
               and _REACHED * width <= rows <= width for width, height in SENSORS)
