# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Run-length encoding of masks, in the format of Autoware's perception nodes.

The Image has the encoding 'mono8' and the mask's height and width, but its data are runs of equal
class ids: a uint8 class id and an int32 count in the byte order of the machine, together 5 bytes.
A run may continue in the next row.
"""

from __future__ import annotations

from array import array

import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

RUN = np.dtype([('value', 'u1'), ('count', '=i4')])


def encode_runs(mask: np.ndarray) -> np.ndarray:
    """Return the runs of a mask, uint8 [H, W], as an array of dtype ``RUN``."""
    flat = mask.reshape(-1)
    starts = np.flatnonzero(np.concatenate(([flat.size > 0], flat[1:] != flat[:-1])))
    runs = np.empty(len(starts), RUN)
    runs['value'] = flat[starts]
    runs['count'] = np.diff(starts, append=flat.size)
    return runs


def decode_runs(data: bytes, height: int, width: int) -> np.ndarray:
    """
    Decode a run-length encoded mask.

    :param data: runs, 5 bytes each.
    :param height: height of the mask in pixels.
    :param width: width of the mask in pixels.
    :returns: class ids, uint8 [H, W].
    :raises ValueError: the data are not runs, or do not fill a mask of this size.
    """
    if len(data) % RUN.itemsize:
        raise ValueError(f'{len(data)} bytes are not whole runs of {RUN.itemsize} bytes')
    runs = np.frombuffer(data, RUN)
    total = runs['count'].sum(dtype=np.int64)
    if (runs['count'] < 0).any() or total != height * width:
        raise ValueError(f'the runs have {total} pixels, but the mask is {width}x{height}')
    return np.repeat(runs['value'], runs['count']).reshape(height, width)


def run_length_message(mask: np.ndarray, header: Header) -> Image:
    """Return an Image with the run-length encoded mask, uint8 [H, W], for Autoware."""
    height, width = mask.shape
    # rclpy copies any type other than array.array element by element.
    data = array('B')
    data.frombytes(encode_runs(mask).tobytes())
    return Image(header=header, height=height, width=width, encoding='mono8', is_bigendian=0,
                 step=width, data=data)
