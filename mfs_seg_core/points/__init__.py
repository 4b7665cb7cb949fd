# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Points of depth images and point clouds, with the labels of a mask."""
