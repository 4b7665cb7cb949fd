# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Native integer engine: compiler of a network to a program, C++ kernels that run it."""
