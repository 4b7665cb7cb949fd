# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cells of labelled points."""

import numpy as np

from mfs_seg_core.labels import CAMVID
from mfs_seg_core.points.cells import FIELDS, packed_colours, write_cloud, write_depth
from mfs_seg_core.points.pinhole import PinholeCamera

CAMERA = PinholeCamera(3, 2, 10.0, 10.0, 1.0, 0.5)
MASK = np.array([[0, 3, 255], [10, 11, 8]], np.uint8)
COLOURS = [0x808080, 0x804080, 0, 0x0080c0, 0, 0x400080]


def test_depth():
    cells = np.empty((2, 3, len(FIELDS)), np.float32)
    depth = np.array([[1, 2, 3], [4, 0, 6]], np.float32)
    write_depth(cells, depth, MASK, CAMERA, packed_colours(CAMVID))
    words = cells.view(np.uint32).reshape(-1, 5)
    assert words[:, 3].tolist() == COLOURS
    assert words[:, 4].tolist() == MASK.reshape(-1).tolist()
    np.testing.assert_allclose(cells[1, 2, :3], [0.6, 0.3, 6], rtol=1e-6)
    assert np.isnan(cells[1, 1, :3]).all()


def test_a_cloud_keeps_its_points():
    points = np.array([[(0, 0, 2), (0, 0, -2), (np.nan, 0, 1), (0.1, -0.06, 1)]], np.float32)
    cells = np.empty((1, 4, len(FIELDS)), np.float32)
    write_cloud(cells, points, MASK, CAMERA, packed_colours(CAMVID))
    np.testing.assert_array_equal(cells[..., :3], points)
    words = cells.view(np.uint32)[0]
    # The row of the first is 0.5, which is nearer to none: the next one.
    assert words[:, 4].tolist() == [11, 255, 255, 255]
    points[0, 0] = 0, -0.1, 2
    write_cloud(cells, points, MASK, CAMERA, packed_colours(CAMVID))
    assert words[:, 4].tolist() == [3, 255, 255, 255]
    assert words[:, 3].tolist() == [0x804080, 0, 0, 0]
