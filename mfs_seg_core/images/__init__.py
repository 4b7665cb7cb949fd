# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images as ROS drivers and recordings hold them, converted to arrays without ROS."""

from __future__ import annotations

from mfs_seg_core.images.decode import decode_rgb, to_labels, to_rgb
from mfs_seg_core.images.encoding import MessageError

__all__ = ['MessageError', 'decode_rgb', 'to_labels', 'to_rgb']
