# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Cells of labelled points: position, colour and label in 20 bytes.

They have the layout of PCL's fields x, y, z, rgb and label: three float32, and two uint32.
"""

from __future__ import annotations

import numpy as np

from mfs_seg_core.labels import UNLABELLED, ClassSet
from mfs_seg_core.points.pinhole import PinholeCamera

# Words of 4 bytes of a cell, by field.
FIELDS = ('x', 'y', 'z', 'rgb', 'label')


def packed_colours(classes: ClassSet) -> np.ndarray:
    """
    Return the colours of all labels as numbers, red * 65536 + green * 256 + blue.

    :param classes: classes of the masks.
    :returns: uint32 ``[256]``; 0, black, for labels without a class.
    """
    colours = np.zeros(256, np.uint32)
    colours[:len(classes)] = classes.palette.astype(np.uint32) @ np.array(
        [65536, 256, 1], np.uint32)
    return colours


def write_depth(cells: np.ndarray, depth: np.ndarray, mask: np.ndarray, camera: PinholeCamera,
                colours: np.ndarray) -> None:
    """
    Write a labelled point for each pixel of a depth image.

    :param cells: float32 ``[H, W, 5]`` by FIELDS, written; the last two are uint32 in the same
        memory.
    :param depth: float32 ``[H, W]`` in metres, as for :meth:`PinholeCamera.points`.
    :param mask: uint8 ``[H, W]``.
    :param camera: camera of both, of their size.
    :param colours: from :func:`packed_colours`.
    """
    camera.points(depth, cells[..., :3])
    _paint(cells, mask, colours)


def write_cloud(cells: np.ndarray, points: np.ndarray, mask: np.ndarray, camera: PinholeCamera,
                colours: np.ndarray) -> None:
    """
    Write the points of a cloud with the labels of their pixels.

    :param cells: float32 ``[H, W, 5]``, written, as by :func:`write_depth`; the label of points
        that the mask does not show is 255.
    :param points: float32 ``[H, W, 3]``: x, y, z in the frame of the camera, in metres.
    :param mask: uint8, of the size of the camera's image.
    :param camera: camera of the mask.
    :param colours: from :func:`packed_colours`.
    """
    cells[..., :3] = points
    _paint(cells, camera.labels(points, mask, UNLABELLED), colours)


def _paint(cells: np.ndarray, labels: np.ndarray, colours: np.ndarray) -> None:
    words = cells.view(np.uint32)
    words[..., 3] = colours.take(labels)
    words[..., 4] = labels
