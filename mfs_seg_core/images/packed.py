# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of an Image against its encoding, and removal of the padding of its rows."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfs_seg_core.images.encoding import Layout, MessageError, check_pixels, layout_of


@dataclass(frozen=True)
class PackedImage:
    """Image without row padding, in this machine's byte order; ``data`` is a contiguous buffer."""

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: Any


def packed(message: Any) -> PackedImage:
    """
    Check an Image and return it without row padding.

    :param message: sensor_msgs Image, of rclpy or of rosbags.
    :returns: image in this machine's byte order, of an encoding that names its bytes: 'bgr8' for
        '8UC3', for example.
    :raises MessageError: the encoding is unknown, or the fields contradict each other.
    """
    height, width = message.height, message.width
    name, layout = layout_of(message.encoding)
    check_pixels(width, height)
    for what, length, factor in zip(('width', 'height'), (width, height), layout.multiple):
        if length % factor:
            raise MessageError(f"an image of encoding '{message.encoding}' must have an even "
                               f'{what}, not {length}')
    row, step = width * layout.pixel, row_step(message)
    data = message.data
    if step > row:
        data = _unpadded(data, height, row, step, layout)
    bigendian = sys.byteorder == 'big'
    if layout.sample == 2 and bool(message.is_bigendian) != bigendian:
        data = np.frombuffer(data, np.uint16).byteswap()
    return PackedImage(height, width, layout.read_as or name, int(bigendian), row, data)


def row_step(message: Any) -> int:
    """
    Return the bytes from one row to the next, by ``step`` or, where it is wrong, by the data.

    Data of exactly the pixels have no padding, whatever ``step`` says; and padding may be missing
    after the last row.

    :param message: sensor_msgs Image of a known encoding.
    :returns: number of bytes in the first plane.
    :raises MessageError: ``step`` and the length of the data contradict each other.
    """
    height, width, step, length = message.height, message.width, message.step, len(message.data)
    _, layout = layout_of(message.encoding)
    row = width * layout.pixel
    whole = layout.size(step, height)
    unfinished = whole - (step - row if len(layout.planes) == 1 else 0)
    if step >= row and length in (whole, unfinished):
        return step
    tight = layout.size(row, height)
    if length == tight:
        return row
    if step < row:
        raise MessageError(f"step is {step} bytes, but {width} pixels of '{message.encoding}' take "
                           f'{row}: set it to the bytes of a row with its padding')
    raise MessageError(f'data has {length} bytes, but {height} rows of step {step} take '
                       f"{whole} as '{message.encoding}': send whole images")


def _unpadded(data: Any, height: int, row: int, step: int, layout: Layout) -> np.ndarray:
    source = np.frombuffer(data, np.uint8)
    planes, start = [], 0
    for rows, part in layout.planes:
        rows, wide, used = height * rows // 2, step * part // 2, row * part // 2
        plane = source[start:start + rows * wide]
        start += plane.size
        # The last row may lack its padding.
        missing = np.zeros(rows * wide - plane.size, np.uint8)
        plane = np.concatenate([plane, missing]) if missing.size else plane
        planes.append(plane.reshape(rows, wide)[:, :used].reshape(-1))
    return np.ascontiguousarray(planes[0]) if len(planes) == 1 else np.concatenate(planes)
