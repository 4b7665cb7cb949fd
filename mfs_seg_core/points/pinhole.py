# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Projection between the pixels of a rectified image and points in the frame of its camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PinholeCamera:
    """
    Camera without distortion. In its frame, x is to the right, y down and z ahead, in metres.

    :param width: width of the image in pixels.
    :param height: height of the image in pixels.
    :param fx: focal length over the width of a pixel.
    :param fy: focal length over the height of a pixel.
    :param cx: column of the principal point; 0 is the centre of the first pixel.
    :param cy: row of the principal point.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def points(self, depth: np.ndarray, out: np.ndarray) -> None:
        """
        Compute the point of each pixel.

        :param depth: float32 ``[height, width]``: z in metres, not above 0 or not finite where
            there is none.
        :param out: float32 ``[height, width, 3]``, written: x, y, z; all NaN where there is none.
        """
        x, y, z = (out[..., axis] for axis in range(3))
        with np.errstate(invalid='ignore'):
            np.copyto(z, depth)
            z[~((depth > 0) & (depth < np.inf))] = np.nan
        np.multiply(z, ((np.arange(self.width) - self.cx) / self.fx).astype(np.float32), out=x)
        np.multiply(z, ((np.arange(self.height) - self.cy) / self.fy).astype(np.float32)[:, None],
                    out=y)

    def labels(self, points: np.ndarray, mask: np.ndarray, outside: int) -> np.ndarray:
        """
        Return the label of the pixel that each point projects to.

        :param points: float32 ``[..., 3]``; x, y, z.
        :param mask: uint8 ``[height, width]``.
        :param outside: label of points behind the camera, outside its image, or not finite.
        :returns: uint8 ``[...]``.
        """
        # Copies, for arithmetic in place.
        x, y, z = (np.ascontiguousarray(points[..., axis]) for axis in range(3))
        with np.errstate(all='ignore'):
            per_metre = 1 / z
            for axis, focal, centre in ((x, self.fx, self.cx), (y, self.fy, self.cy)):
                axis *= per_metre
                axis *= focal
                # Truncated, this is the pixel whose centre is nearest.
                axis += centre + 0.5
            visible = ((z > 0) & (z < np.inf) & (x >= 0) & (x < self.width)
                       & (y >= 0) & (y < self.height))
            place = y.astype(np.int32)
            place *= self.width
            place += x.astype(np.int32)
        place[~visible] = mask.size
        return np.append(mask, np.uint8(outside)).take(place)
