# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips for training: consecutive frames, and the label of the last one."""
