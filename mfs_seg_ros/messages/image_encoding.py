# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the bytes of an Image lie, checked against what the message says of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfs_seg_core.util.text import printable

# Above any camera's; a message that names more is wrong.
MAX_PIXELS = 64_000_000


class MessageError(ValueError):
    """A message cannot be used; the text is one sentence that says what is wrong with it."""


@dataclass(frozen=True)
class Layout:
    """Bytes of a pixel and of one of its samples, and what else the conversion must know."""

    pixel: int
    sample: int = 1
    # Two neighbours share their colour.
    paired: bool = False
    # Name that every version of the converters knows; empty: its own.
    known_as: str = ''


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
    'uyvy': Layout(2, paired=True, known_as='yuv422'),
    'yuv422_yuy2': Layout(2, paired=True),
    'yuyv': Layout(2, paired=True, known_as='yuv422_yuy2'),
}


@dataclass(frozen=True)
class PackedImage:
    """An Image without padding, in this machine's byte order; `data` is a contiguous buffer."""

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: Any


def packed(message: Any) -> PackedImage:
    """
    Check a sensor_msgs Image (of rclpy or rosbags) and return it without padding.

    Raises MessageError with one sentence when the message contradicts itself.
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
    encoding = layout.known_as or message.encoding
    return PackedImage(height, width, encoding, int(bigendian), row, data)


def check_pixels(width: int, height: int) -> None:
    """Raise MessageError for images of no pixels, or of more than any camera has."""
    if width == 0 or height == 0:
        raise MessageError(f'the image is empty: {width}x{height} pixels')
    if width * height > MAX_PIXELS:
        raise MessageError(
            f'the image is {width}x{height} pixels: more than {MAX_PIXELS // 1_000_000} million '
            'cannot be right')
