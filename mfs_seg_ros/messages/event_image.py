# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events as people look at them: red what became brighter, blue what became darker, on grey."""

from __future__ import annotations

import numpy as np

from mfs_seg_core.events.tensor import EventWindow

GREY = (128, 128, 128)
BRIGHTER = (220, 30, 30)
DARKER = (30, 60, 220)


def event_picture(window: EventWindow, width: int, height: int) -> np.ndarray:
    """Draw a window of events at this size, uint8 [H, W, 3] RGB; the last at a pixel is seen."""
    events, (columns, rows) = window.events, window.size
    x, y = events.x.astype(np.int64), events.y.astype(np.int64)
    if window.pixel_map:
        places = window.pixel_map.cells(width, height)[y * columns + x]
    else:
        places = y * height // rows * width + x * width // columns
    seen = places >= 0
    picture = np.full((height * width, 3), GREY, np.uint8)
    picture[places[seen]] = np.where(events.p[seen, None], BRIGHTER, DARKER)
    return picture.reshape(height, width, 3)
