# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What all things along the road have in common."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from mfs_seg_core.data.street.canvas import Canvas, Spots
from mfs_seg_core.data.street.light import Light

# Eight corners around a foot, one metre from it.
RING = np.stack([np.cos(np.arange(8) * np.pi / 4), np.zeros(8), np.sin(np.arange(8) * np.pi / 4)],
                1)


class Thing:
    """
    One thing at one time.

    :attr s, d: where it starts, in metres along the road, and right of the road's middle.
    :attr road: its points in road coordinates, float64 ``[N, 3]``; they bound what it draws.
    :attr anchor: two of its points; things are sorted from far to near by the middle of these.
    :attr reach: metres ahead of the camera from where on it is drawn.
    """

    s: float
    d: float
    anchor = (0, 0)
    reach = 150.0

    @cached_property
    def road(self) -> np.ndarray:
        """Return the points in road coordinates, float64 ``[N, 3]``."""
        raise NotImplementedError

    def shadow(self, camera: np.ndarray, cast: np.ndarray) -> np.ndarray:
        """
        What of the ground its shadow covers, a polygon in camera coordinates.

        :param camera: its points in camera coordinates.
        :param cast: where a metre of height throws its shadow ``[3]``.
        """
        raise NotImplementedError

    def contact(self, camera: np.ndarray) -> np.ndarray | None:
        """The dark right under it, a polygon in camera coordinates."""
        return None

    def draw(self, canvas: Canvas, light: Light, spots: Spots) -> None:
        """Draw it and its label."""
        raise NotImplementedError


class Upright(Thing):
    """
    A thing that stands on one foot and is about as wide from all sides.

    Its points: the foot, then the corners of the rectangle it fills.
    """

    height: float
    half: float

    @cached_property
    def road(self) -> np.ndarray:
        """Return the points in road coordinates, float64 ``[N, 3]``."""
        s, d, half, top = self.s, self.d, self.half, self.height
        return np.array([(s, d, 0), (s, d - half, 0), (s, d + half, 0), (s, d + half, top),
                         (s, d - half, top)])

    def shadow(self, camera: np.ndarray, cast: np.ndarray) -> np.ndarray:
        """Return the shadow on the ground, a polygon in camera coordinates."""
        left, right = camera[1:3]
        push = cast * self.height
        return np.array([left, right, right + push, left + push])
