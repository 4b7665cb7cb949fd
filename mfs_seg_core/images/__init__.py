# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images as ROS drivers and recordings hold them, converted to arrays without ROS."""

from __future__ import annotations

from mfs_seg_core.images.bit_depth import BitDepth
from mfs_seg_core.images.decode import decode_rgb, to_labels, to_rgb
from mfs_seg_core.images.encoding import MessageError
from mfs_seg_core.images.file import read_image
from mfs_seg_core.images.stream import ImageStream

__all__ = ['BitDepth', 'ImageStream', 'MessageError', 'decode_rgb', 'read_image', 'to_labels',
           'to_rgb']
