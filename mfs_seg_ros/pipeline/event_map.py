# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The place of event pixels in the camera's image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from mfs_seg_core.events.dsec_hdf5 import open_hdf5
from mfs_seg_core.events.pixel_map import PixelMap
from mfs_seg_core.images.encoding import MessageError
from mfs_seg_core.streaming.step import Step
from mfs_seg_ros.node.parameters import ParameterError

Size = tuple[int, int]


class EventMap:
    """
    Maps the pixels of an event sensor to those of the camera's image, where parameters say how.

    :param homography: row-major 3x3 matrix from event pixels to image pixels; zeros: none.
    :param path: .npy file or DSEC's rectify_map.h5 with the place of each event pixel, [H, W, 2];
        empty: none.
    :raises ParameterError: they cannot be used; one sentence.
    """

    def __init__(self, homography: list[float], path: str) -> None:
        if len(homography) != 9:
            raise ParameterError(
                f"'event_homography' has {len(homography)} numbers: give the 9 of a 3x3 matrix")
        self._matrix = np.reshape(homography, (3, 3)) if any(homography) else None
        if self._matrix is not None and not (
            np.isfinite(self._matrix).all() and np.linalg.det(self._matrix)
        ):
            raise ParameterError("the 3x3 matrix of 'event_homography' has no inverse")
        if self._matrix is not None and path:
            raise ParameterError("give 'event_homography' or 'event_map', not both")
        self._path = path
        self._table = read_table(Path(path).expanduser()) if path else None
        self._made: tuple[Size, Size, PixelMap] | None = None

    def check(self, sensor_size: Size) -> None:
        """
        Refuse a sensor that the table is not for.

        :param sensor_size: width and height of the sensor.
        :raises MessageError: the table is that of another sensor.
        """
        if self._table is not None and self._table.shape[1::-1] != sensor_size:
            width, height = self._table.shape[1::-1]
            raise MessageError(
                f"the map '{self._path}' is of a sensor of {width}x{height} pixels, the events "
                f"come from {sensor_size[0]}x{sensor_size[1]}: give the map of this sensor")

    def align(self, step: Step) -> Step:
        """
        Return the step with the place of its events in the image.

        :param step: a step; without an image so far, its events keep the sensor's own size.
        :returns: the step, unchanged where it has no events.
        :raises ValueError: no pixel of the sensor is in the image; one sentence.
        """
        if step.window is None:
            return step
        pixel_map = self.pixel_map(step.window.size, step.image_size)
        return replace(step, window=replace(step.window, pixel_map=pixel_map))

    def pixel_map(self, sensor_size: Size, image_size: Size | None) -> PixelMap | None:
        """
        Return the map of a sensor; the last one is kept.

        :param sensor_size: width and height of the sensor.
        :param image_size: width and height of the image; None: as the sensor.
        :returns: the map; None without parameters: the sensor's image is scaled.
        :raises ValueError: no pixel of the sensor is in the image; one sentence.
        """
        image_size = image_size or sensor_size
        if self._matrix is None and self._table is None:
            return None
        if self._made is None or self._made[:2] != (sensor_size, image_size):
            made = (PixelMap.rectification(self._table, image_size) if self._matrix is None
                    else PixelMap.homography(self._matrix, sensor_size, image_size))
            self._made = sensor_size, image_size, made
        return self._made[2]


def read_table(path: Path) -> np.ndarray:
    """
    Read the place of each event pixel.

    :param path: .npy or HDF5 file.
    :returns: numbers ``[H, W, 2]``: x and y in the image.
    :raises ParameterError: the file holds no such table; one sentence.
    """
    try:
        if path.suffix in ('.h5', '.hdf5'):
            with open_hdf5(path) as file:
                table = file['rectify_map'][()]
        else:
            table = np.load(path, allow_pickle=False)
    except KeyError:
        raise ParameterError(f"'event_map': {path} holds no rectify_map: give DSEC's "
                             'rectify_map.h5 or a .npy file') from None
    except (OSError, ValueError, EOFError) as error:
        raise ParameterError(f"'event_map': {path} cannot be read ({error})") from None
    if table.ndim != 3 or table.shape[2] != 2 or table.dtype.kind not in 'fiu':
        raise ParameterError(f"'event_map': {path} is {table.dtype} {list(table.shape)}: give the "
                             'place of each pixel, numbers [H, W, 2]')
    return table
