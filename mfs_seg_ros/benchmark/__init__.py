# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks of the node: a segmenter in its own process, on one core."""
