# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events of event cameras: what holds them, files that hold them, tensors made of them."""
