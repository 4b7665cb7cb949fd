# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Projection between pixels and points."""

import numpy as np
import pytest

from mfs_seg_core.points.pinhole import PinholeCamera

CAMERA = PinholeCamera(64, 48, 50.0, 40.0, 30.0, 25.5)


def points_of(depth: np.ndarray) -> np.ndarray:
    out = np.full((*depth.shape, 3), 7, np.float32)
    CAMERA.points(depth, out)
    return out


def labels_of(*points) -> list[int]:
    """Return the labels of points; that of a pixel is its row plus a quarter of its column."""
    mask = (np.arange(48)[:, None] + np.arange(64) // 4).astype(np.uint8)
    return CAMERA.labels(np.array([points], np.float32), mask, 255)[0].tolist()


def test_points_of_pixels():
    points = points_of(np.full((48, 64), 2, np.float32))
    np.testing.assert_allclose(points[25, 30], [0, -0.025, 2], atol=1e-6)
    np.testing.assert_allclose(points[0, 0], [-1.2, -1.275, 2], rtol=1e-6)
    np.testing.assert_allclose(points[47, 63], [1.32, 1.075, 2], rtol=1e-6)


@pytest.mark.parametrize('depth', [0, -1, np.nan, np.inf, -np.inf])
def test_pixels_without_depth_have_no_point(depth):
    given = np.ones((48, 64), np.float32)
    given[3, 4] = depth
    points = points_of(given)
    assert np.isnan(points[3, 4]).all()
    assert np.isfinite(np.delete(points.reshape(-1, 3), 3 * 64 + 4, axis=0)).all()


def test_points_project_to_the_pixels_that_they_are_of():
    rng = np.random.default_rng(1)
    mask = rng.integers(0, 200, (48, 64), np.uint8)
    points = points_of(rng.uniform(0.1, 90, (48, 64)).astype(np.float32))
    np.testing.assert_array_equal(CAMERA.labels(points, mask, 255), mask)
    # Not organised, and in another order.
    order = rng.permutation(48 * 64)
    np.testing.assert_array_equal(
        CAMERA.labels(points.reshape(1, -1, 3)[:, order], mask, 255)[0], mask.reshape(-1)[order])


def test_the_nearest_pixel_counts():
    # Columns 29.6, 30.4 and 31.6 of row 25.5, which is nearer to none: the next one.
    assert labels_of((-0.008, 0, 1), (0.008, 0, 1), (0.032, 0, 1)) == [33, 33, 34]


def test_points_that_the_image_does_not_show():
    nan, inf = np.nan, np.inf
    assert labels_of((0, 0, -1), (0, 0, 0), (nan, 0, 1), (0, 0, nan), (inf, 0, 1), (0, -inf, 1),
                     (1e30, 0, 1e-30), (0, 0, inf)) == [255] * 8
    # The last pixels inside, and the first outside, of each border.
    inside = [(-30.4 / 50, 0, 1), (33.4 / 50, 0, 1), (0, -25.9 / 40, 1), (0, 21.9 / 40, 1)]
    outside = [(-30.6 / 50, 0, 1), (33.6 / 50, 0, 1), (0, -26.1 / 40, 1), (0, 22.1 / 40, 1)]
    assert labels_of(*inside) == [26, 41, 7, 54]
    assert labels_of(*outside) == [255] * 4
