# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sources of frames and events: Street, CamVid, images, videos, recordings and bags."""
