# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""First seeds of the drives of Street for training, validation and test, which are disjoint."""

from __future__ import annotations

TRAINING_SEED = 0
VALIDATION_SEED = 1_000_000
TEST_SEED = 2_000_000
