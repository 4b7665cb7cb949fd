# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of depth, point clouds and camera_info, as drivers send them."""

from __future__ import annotations

from array import array

import numpy as np
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField

DATATYPES = {'f4': PointField.FLOAT32, 'f8': PointField.FLOAT64, 'u2': PointField.UINT16}


def depth_message(samples: np.ndarray, encoding: str, padding: int = 0, bigendian: bool = False
                  ) -> Image:
    """Return an Image of samples [H, W], in metres as float32 or in millimetres as uint16."""
    height, width = samples.shape
    rows = samples.astype(samples.dtype.newbyteorder('>' if bigendian else '<'))
    rows = np.pad(rows.view(np.uint8).reshape(height, -1), ((0, 0), (0, padding)))
    return Image(height=height, width=width, encoding=encoding, is_bigendian=bigendian,
                 step=rows.shape[1], data=array('B', rows.tobytes()))


def cloud_message(points: np.ndarray, kind: str = 'f4', padding: int = 0, bigendian: bool = False
                  ) -> PointCloud2:
    """Return a cloud of points [H, W, 3] with a field 'ring' before x, y and z."""
    height, width = points.shape[:2]
    order = '>' if bigendian else '<'
    cells = np.zeros((height, width), [('ring', f'{order}u2'), *(
        (name, order + kind) for name in 'xyz')])
    for axis, name in enumerate('xyz'):
        cells[name] = points[..., axis]
    rows = np.pad(cells.view(np.uint8).reshape(height, -1), ((0, 0), (0, padding)))
    fields = [PointField(name=name, offset=offset, datatype=DATATYPES[kind.str[1:]], count=1)
              for name, (kind, offset) in cells.dtype.fields.items()]
    return PointCloud2(height=height, width=width, fields=fields, is_bigendian=bigendian,
                       point_step=cells.itemsize, row_step=rows.shape[1],
                       data=array('B', rows.tobytes()))


def camera_info(width: int, height: int, frame: str = '') -> CameraInfo:
    """Return the camera_info of an image of this size, with a focal length of its width."""
    k = [width, 0, width / 2, 0, width, height / 2, 0, 0, 1]
    info = CameraInfo(width=width, height=height, k=[float(x) for x in k])
    info.header.frame_id = frame
    return info
