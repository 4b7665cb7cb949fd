# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Base classes of the objects along the road."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from mfs_seg_core.data.street.canvas import Canvas, ProjectedPoints
from mfs_seg_core.data.street.light import Light

# Eight points around a foot point, one metre from it.
RING = np.stack([np.cos(np.arange(8) * np.pi / 4), np.zeros(8), np.sin(np.arange(8) * np.pi / 4)],
                1)


class Thing:
    """
    Object at one time.

    - ``s``, ``d``: start in road coordinates, in metres.
    - ``anchor``: indices of two points, whose centre sorts objects from far to near.
    - ``reach``: distance ahead of the camera up to which the object is drawn, in metres.
    """

    s: float
    d: float
    anchor = (0, 0)
    reach = 150.0

    @cached_property
    def road(self) -> np.ndarray:
        """Return the points in road coordinates, float64 ``[N, 3]``; they bound the object."""
        raise NotImplementedError

    def shadow(self, camera: np.ndarray, cast: np.ndarray) -> np.ndarray:
        """
        Return the shadow on the ground.

        :param camera: points of the object in camera coordinates, float64 ``[N, 3]``.
        :param cast: shadow of one metre of height, a vector ``[3]`` in camera coordinates.
        :returns: a polygon in camera coordinates.
        """
        raise NotImplementedError

    def contact(self, camera: np.ndarray) -> np.ndarray | None:
        """Return the contact shadow under the object, a polygon in camera coordinates, or None."""
        return None

    def draw(self, canvas: Canvas, light: Light, projected: ProjectedPoints) -> None:
        """Draw image and label."""
        raise NotImplementedError


class Upright(Thing):
    """
    Object on one foot point that is about equally wide from all sides.

    Its points are the foot, then the corners of its bounding rectangle.
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
