# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Contrast below which the diagnostics report a covered or wrongly exposed camera."""

import numpy as np

from mfs_seg_core.data.street import DimCamera, Street
from mfs_seg_core.data.street.sensor import CONDITIONS
from mfs_seg_core.streaming.image_quality import exposure
from mfs_seg_ros.diagnostics.health import Limits

SIZE = 240, 180


def test_limit_lies_between_a_covered_camera_and_a_dark_drive():
    limit = Limits().min_contrast
    noise = np.random.default_rng(1).normal(20, 12, (SIZE[1], SIZE[0], 3))
    assert exposure(noise.clip(0, 255).astype(np.uint8)).contrast < limit / 2
    night = DimCamera(Street(1000, *SIZE), **CONDITIONS['night'])
    assert exposure(night.frame(0.5).image).contrast > 2 * limit
