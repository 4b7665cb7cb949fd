# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters, launch arguments, lifecycle, process and middleware settings of the nodes."""
