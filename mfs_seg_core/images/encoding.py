# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Byte layouts of the encodings of an Image, and checks of a message against them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfs_seg_core.util.text import printable

# More than any camera has, so a message with a larger size is corrupt.
MAX_PIXELS = 64_000_000


class MessageError(ValueError):
    """A message is invalid; the text is one sentence with the reason."""


@dataclass(frozen=True)
class Layout:
    """
    Byte layout of an encoding.

    :param pixel: bytes of a pixel.
    :param sample: bytes of one sample of a pixel.
    :param paired: True if two neighbouring pixels share their colour.
    :param converter_name: name of the encoding in all versions of the converters; '': the same.
    """

    pixel: int
    sample: int = 1
    paired: bool = False
    converter_name: str = ''


LAYOUTS = {
    'rgb8': Layout(3),
    'bgr8': Layout(3),
    'rgba8': Layout(4),
    'bgra8': Layout(4),
    'mono8': Layout(1),
    'rgb16': Layout(6, 2),
    'bgr16': Layout(6, 2),
    'rgba16': Layout(8, 2),
    'bgra16': Layout(8, 2),
    'mono16': Layout(2, 2),
    **{f'bayer_{order}8': Layout(1) for order in ('rggb', 'bggr', 'gbrg', 'grbg')},
    **{f'bayer_{order}16': Layout(2, 2) for order in ('rggb', 'bggr', 'gbrg', 'grbg')},
    'yuv422': Layout(2, paired=True),
    'uyvy': Layout(2, paired=True, converter_name='yuv422'),
    'yuv422_yuy2': Layout(2, paired=True),
    'yuyv': Layout(2, paired=True, converter_name='yuv422_yuy2'),
}


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
    :returns: image in this machine's byte order.
    :raises MessageError: the encoding is unknown, or the fields contradict each other.
    """
    height, width, step = message.height, message.width, message.step
    layout = LAYOUTS.get(message.encoding)
    if layout is None:
        raise MessageError(
            f"unknown encoding '{printable(message.encoding)}': send one of {', '.join(LAYOUTS)}")
    check_pixels(width, height)
    if layout.paired and width % 2:
        raise MessageError(
            f"an image of encoding '{message.encoding}' must have an even width, not {width}")
    row = width * layout.pixel
    if step < row:
        raise MessageError(
            f"step is {step} bytes, but {width} pixels of '{message.encoding}' take {row}")
    if len(message.data) != step * height:
        raise MessageError(
            f'data has {len(message.data)} bytes, but {height} rows of step {step} take '
            f'{step * height}')
    data = message.data
    if step > row:
        rows = np.frombuffer(data, np.uint8).reshape(height, step)
        data = np.ascontiguousarray(rows[:, :row]).reshape(-1)
    bigendian = sys.byteorder == 'big'
    if layout.sample == 2 and bool(message.is_bigendian) != bigendian:
        data = np.frombuffer(data, np.uint16).byteswap()
    encoding = layout.converter_name or message.encoding
    return PackedImage(height, width, encoding, int(bigendian), row, data)


def check_pixels(width: int, height: int) -> None:
    """Raise MessageError if an image has no pixels, or more than ``MAX_PIXELS``."""
    if width == 0 or height == 0:
        raise MessageError(f'the image is empty: {width}x{height} pixels')
    if width * height > MAX_PIXELS:
        raise MessageError(
            f'the image is {width}x{height} pixels: more than {MAX_PIXELS // 1_000_000} million '
            'cannot be right')
