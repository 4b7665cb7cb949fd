# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Positions of the pixels of an event sensor in the frame that is segmented."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


class PixelMap:
    """
    Position of each pixel of an event sensor in the camera's frame.

    :meth:`scaling`, :meth:`homography` and :meth:`rectification` create maps.

    :param places: positions x and y of the sensor's pixels, float ``[H, W, 2]``; 0 is the left or
        upper edge of the frame, 1 the right or lower one. Pixels outside the frame, or at NaN, are
        left out.
    :raises ValueError: if the shape is wrong, or no pixel lies in the frame.
    """

    def __init__(self, places: np.ndarray):
        if places.ndim != 3 or places.shape[2] != 2:
            raise ValueError(f'a pixel map is [H, W, 2], not {list(places.shape)}')
        with np.errstate(invalid='ignore'):
            inside = ((places >= 0) & (places < 1)).all(2)
        if not inside.any():
            raise ValueError('the pixel map puts no pixel of the event sensor into the frame: '
                             'correct it, or run without one')
        self.size = places.shape[1], places.shape[0]
        #: Number of the sensor's pixels that lie in the frame.
        self.inside_count = int(inside.sum())
        self._places = np.where(inside[..., None], places, -1).astype(np.float32)
        self._inside = inside
        # Cached per map: most programs run one input size.
        self.cells = lru_cache(maxsize=2)(self._cells)

    @classmethod
    def scaling(cls, sensor_size: tuple[int, int]) -> PixelMap:
        """Create the map of a sensor of this width and height whose field of view is the frame."""
        width, height = sensor_size
        x, y = _centres(width, height)
        return cls(np.stack([x / width, y / height], 2))

    @classmethod
    def homography(cls, matrix: np.ndarray, sensor_size: tuple[int, int],
                   frame_size: tuple[int, int]) -> PixelMap:
        """
        Create the map of a homography from pixels of the sensor to pixels of the frame.

        :param matrix: the homography, ``[3, 3]``; (0, 0) is the centre of the upper left pixel.
        :param sensor_size: width and height of the sensor in pixels.
        :param frame_size: width and height of the frame in pixels.
        :returns: the map.
        :raises ValueError: if the matrix is not a homography, or no pixel lies in the frame.
        """
        matrix = np.asarray(matrix, np.float64)
        if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or not np.linalg.det(matrix):
            raise ValueError('a homography is 3x3 numbers with a determinant other than 0, not '
                             f'{matrix.tolist()}')
        x, y = _centres(*sensor_size)
        points = np.stack([x - 0.5, y - 0.5, np.ones_like(x)], 2) @ matrix.T
        with np.errstate(divide='ignore', invalid='ignore'):
            # Points behind the camera would be projected into the frame too.
            pixels = np.where(points[..., 2:] > 0, points[..., :2] / points[..., 2:], np.nan)
        return cls((pixels + 0.5) / frame_size)

    @classmethod
    def rectification(cls, pixels: np.ndarray, frame_size: tuple[int, int]) -> PixelMap:
        """
        Create the map of a rectification table, such as ``rectify_map`` of DSEC.

        :param pixels: position of each pixel of the sensor, float ``[H, W, 2]``: x and y in pixels
            of the frame.
        :param frame_size: width and height of the frame in pixels.
        :returns: the map.
        :raises ValueError: if the shape is wrong, or no pixel lies in the frame.
        """
        return cls((np.asarray(pixels, np.float64) + 0.5) / frame_size)

    def _cells(self, width: int, height: int) -> np.ndarray:
        """
        Return the cell of a grid over the frame in which each pixel of the sensor lies.

        :returns: int32 ``[H * W]``: row * ``width`` + column; -1 outside the frame.
        """
        columns, rows = np.moveaxis((self._places * (width, height)).astype(np.int32), 2, 0)
        cells = rows.clip(0, height - 1) * width + columns.clip(0, width - 1)
        return np.where(self._inside, cells, -1).astype(np.int32).ravel()


def _centres(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    return np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
