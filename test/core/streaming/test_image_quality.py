# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image quality: contrast of covered, saturated and dark cameras."""

import numpy as np
import pytest

from mfs_seg_core.data.street import DimCamera, Street
from mfs_seg_core.data.street.sensor import CONDITIONS
from mfs_seg_core.streaming.image_quality import exposure

SIZE = 240, 180
# Contrast in grey levels. A warning limit must lie between the two.
COVERED, DARK = 1.0, 4.0


def noise(mean: float, spread: float) -> np.ndarray:
    grey = np.random.default_rng(1).normal(mean, spread, (SIZE[1], SIZE[0], 3))
    return grey.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize('image', [noise(0, 0), noise(255, 0), noise(128, 0), noise(6, 3),
                                   noise(20, 12)])
def test_a_covered_or_saturated_camera_has_no_contrast(image):
    assert exposure(image).contrast < COVERED
    assert exposure(image).brightness == pytest.approx(image.mean(), abs=0.5)


@pytest.mark.parametrize('seed', [1000, 1003, 1007])
def test_the_darkest_drives_have_contrast(seed):
    night = DimCamera(Street(seed, *SIZE), **CONDITIONS['night'])
    assert exposure(night.frame(0.5).image).contrast > DARK


def test_values_of_small_and_of_odd_images():
    halves = np.zeros((37, 64, 3), np.uint8)
    halves[:, 32:] = 200
    assert exposure(halves) == (100, 100)
    assert exposure(np.full((1, 2, 3), 7, np.uint8)) == (7, 0)
