# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Masks as runs of equal class ids, as Autoware's perception nodes send and read them.

Their Image says 'mono8', with the mask's height and width, but its data are runs: a uint8 class id
and an int32 count in the byte order of the machine, 5 bytes together. Runs go on from row to row.
"""

from __future__ import annotations

from array import array

import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

RUN = np.dtype([('value', 'u1'), ('count', '=i4')])


def encode_runs(mask: np.ndarray) -> np.ndarray:
    """Return the runs of a mask, uint8 [H, W], as an array of RUN."""
    flat = mask.reshape(-1)
    starts = np.flatnonzero(np.concatenate(([flat.size > 0], flat[1:] != flat[:-1])))
    runs = np.empty(len(starts), RUN)
    runs['value'] = flat[starts]
    runs['count'] = np.diff(starts, append=flat.size)
    return runs


def decode_runs(data: bytes, height: int, width: int) -> np.ndarray:
    """
    Return the mask of such data as uint8 [H, W].

    Raises ValueError with one sentence when they are not the runs of a mask of this size.
    """
    if len(data) % RUN.itemsize:
        raise ValueError(f'{len(data)} bytes are no runs: these are {RUN.itemsize} bytes each')
    runs = np.frombuffer(data, RUN)
    total = runs['count'].sum(dtype=np.int64)
    if (runs['count'] < 0).any() or total != height * width:
        raise ValueError(f'the runs have {total} pixels, and the mask {width}x{height}')
    return np.repeat(runs['value'], runs['count']).reshape(height, width)


def run_length_message(mask: np.ndarray, header: Header) -> Image:
    """Return an Image for Autoware's consumers of a mask, uint8 [H, W], with this header."""
    height, width = mask.shape
    # Any other type than array.array is copied element by element when it is assigned.
    data = array('B')
    data.frombytes(encode_runs(mask).tobytes())
    return Image(header=header, height=height, width=width, encoding='mono8', is_bigendian=0,
                 step=width, data=data)
