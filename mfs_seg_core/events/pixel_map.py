# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the pixels of an event sensor lie in the picture that is segmented."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


class PixelMap:
    """
    For each pixel of an event sensor, its place in the camera's frame.

    Made by :meth:`scaling`, :meth:`homography` or :meth:`rectification`.
    """

    def __init__(self, places: np.ndarray):
        """
        :param places: float ``[H, W, 2]`` of the sensor's pixels: x and y in the frame, where 0 is
            its left or upper edge and 1 the other. What is outside, or not a number, is not seen.
        :raises ValueError: the places have another shape, or none of them is in the frame.
        """
        if places.ndim != 3 or places.shape[2] != 2:
            raise ValueError(f'a pixel map is [H, W, 2], not {list(places.shape)}')
        with np.errstate(invalid='ignore'):
            inside = ((places >= 0) & (places < 1)).all(2)
        if not inside.any():
            raise ValueError('the pixel map puts no pixel of the event sensor into the frame: '
                             'correct it, or go without one')
        self.size = places.shape[1], places.shape[0]
        # Pixels of the sensor in a frame's area.
        self.seen = int(inside.sum())
        self._places = np.where(inside[..., None], places, -1).astype(np.float32)
        self._inside = inside
        # Of this map alone: one network's size, seldom a second.
        self.cells = lru_cache(maxsize=2)(self._cells)

    @classmethod
    def scaling(cls, sensor_size: tuple[int, int]) -> PixelMap:
        """Both see the same, in other pixels; sizes are width and height."""
        width, height = sensor_size
        x, y = _centres(width, height)
        return cls(np.stack([x / width, y / height], 2))

    @classmethod
    def homography(cls, matrix: np.ndarray, sensor_size: tuple[int, int],
                   frame_size: tuple[int, int]) -> PixelMap:
        """
        A homography leads from pixels of the sensor to pixels of the frame.

        :param matrix: ``[3, 3]``; pixel (0, 0) is the centre of the upper left one.
        :raises ValueError: it is no homography, or shows nothing of the sensor.
        """
        matrix = np.asarray(matrix, np.float64)
        if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or not np.linalg.det(matrix):
            raise ValueError('a homography is 3x3 numbers with a determinant other than 0, not '
                             f'{matrix.tolist()}')
        x, y = _centres(*sensor_size)
        points = np.stack([x - 0.5, y - 0.5, np.ones_like(x)], 2) @ matrix.T
        with np.errstate(divide='ignore', invalid='ignore'):
            # Behind the camera, the same formula finds places that no ray leads to.
            pixels = np.where(points[..., 2:] > 0, points[..., :2] / points[..., 2:], np.nan)
        return cls((pixels + 0.5) / frame_size)

    @classmethod
    def rectification(cls, pixels: np.ndarray, frame_size: tuple[int, int]) -> PixelMap:
        """
        A table has the place of each pixel of the sensor, as DSEC's ``rectify_map`` has it.

        :param pixels: float ``[H, W, 2]``: x and y in pixels of the frame.
        :raises ValueError: it has another shape, or shows nothing of the sensor.
        """
        return cls((np.asarray(pixels, np.float64) + 0.5) / frame_size)

    def _cells(self, width: int, height: int) -> np.ndarray:
        """
        Give the cell of a grid over the frame that each pixel of the sensor lies in.

        :returns: int32 ``[H * W]``: row * ``width`` + column; -1: in none.
        """
        columns, rows = np.moveaxis((self._places * (width, height)).astype(np.int32), 2, 0)
        cells = rows.clip(0, height - 1) * width + columns.clip(0, width - 1)
        return np.where(self._inside, cells, -1).astype(np.int32).ravel()


def _centres(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    return np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
