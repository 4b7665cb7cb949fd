# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Data sets, with clips for training and sequences for evaluation."""
