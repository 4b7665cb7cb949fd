# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes and loads for the demo, the benchmarks and the soak test."""
