# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sums over the events of a recording."""

import numpy as np

from mfs_seg_core.events.info.summary import exact_sum


def test_exact_sum():
    numbers = np.array([2**62, 2**62, 2**62, -5, 7], np.int64)
    assert exact_sum(numbers) == sum(numbers.tolist())
