# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 2 nodes around mfs_seg_core: messages in, masks out."""
