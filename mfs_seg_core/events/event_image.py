# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images of events: brighter pixels red, darker pixels blue, on grey."""

from __future__ import annotations

import numpy as np

from mfs_seg_core.events.tensor import EventWindow

GREY = (128, 128, 128)
BRIGHTER = (220, 30, 30)
DARKER = (30, 60, 220)


def draw_events(window: EventWindow, width: int, height: int) -> np.ndarray:
    """
    Draw a window of events; of several events at one pixel, the last one counts.

    :param window: events, with the sensor's size or a map from its pixels to those of the image.
    :param width: width of the image in pixels.
    :param height: height of the image in pixels.
    :returns: image, uint8 [H, W, 3] RGB.
    """
    events, (columns, rows) = window.events, window.size
    x, y = events.x.astype(np.int64), events.y.astype(np.int64)
    if window.pixel_map:
        cells = window.pixel_map.cells(width, height)[y * columns + x]
    else:
        cells = y * height // rows * width + x * width // columns
    # The map has -1 for pixels outside the image.
    inside = cells >= 0
    image = np.full((height * width, 3), GREY, np.uint8)
    image[cells[inside]] = np.where(events.p[inside, None], BRIGHTER, DARKER)
    return image.reshape(height, width, 3)
