# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Statistics of the training data: the normalisation of pixels, and the nominal time step."""

from __future__ import annotations

# Mean and standard deviation of the pixels of street scenes by day, RGB, of values from 0 to 1.
MEAN, STD = (0.41, 0.43, 0.43), (0.30, 0.31, 0.31)
# Time between two frames or event windows, where the data have no stamps.
NOMINAL_STEP_S = 0.05
