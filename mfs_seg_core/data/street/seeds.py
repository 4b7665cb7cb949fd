# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Seeds of Street's drives: training, validation and test share none."""

from __future__ import annotations

TRAINING_SEED = 0
VALIDATION_SEED = 1_000_000
TEST_SEED = 2_000_000
