# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of the demo, the benchmark and the soak test: options, processes, loads, reports."""
