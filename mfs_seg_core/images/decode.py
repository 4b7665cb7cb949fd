# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversion of the messages Image and CompressedImage to arrays."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from mfs_seg_core.images.conversion import Converter, convert_by_opencv
from mfs_seg_core.images.encoding import MessageError, check_pixels, packed
from mfs_seg_core.images.jpeg_png_header import announced_size
from mfs_seg_core.util.text import printable


def to_rgb(message: Any, convert: Converter = convert_by_opencv) -> np.ndarray:
    """
    Convert an Image to RGB.

    :param message: sensor_msgs Image, of rclpy or of rosbags, in one of the encodings of
        ``encoding.LAYOUTS``, with rows of any ``step``, in either byte order.
    :param convert: converts the checked image to uint8 [H, W, 3] RGB.
    :returns: uint8 [H, W, 3] RGB, possibly a read-only view of the message's data.
    :raises MessageError: the message is invalid, or the converter fails.
    """
    image = packed(message)
    try:
        return convert(image)
    except cv2.error as error:
        raise MessageError(
            f"a {image.width}x{image.height} '{message.encoding}' image cannot be converted: "
            f'{error.err}') from None


def decode_rgb(message: Any) -> np.ndarray:
    """
    Decode a CompressedImage.

    :param message: JPEG or PNG image.
    :returns: uint8 [H, W, 3] RGB.
    :raises MessageError: the data are another format, truncated or too large.
    """
    data = np.frombuffer(message.data, np.uint8)
    size = announced_size(data.data)
    if size:
        # The header of a small message can declare more pixels than fit into memory.
        check_pixels(*size)
    # The EXIF orientation is for viewers; the camera's calibration does not include it.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(data, flags) if size else None
    except cv2.error:
        image = None
    if image is None:
        raise MessageError(
            f"compressed image of {data.size} bytes and format '{printable(message.format)}' "
            'cannot be decoded: send whole JPEG or PNG images')
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def to_labels(message: Any) -> np.ndarray:
    """
    Return the class ids of an Image.

    :param message: mask, 'mono8'.
    :returns: class ids, uint8 [H, W].
    :raises MessageError: the encoding is another one, or the message is invalid.
    """
    if message.encoding != 'mono8':
        raise MessageError(f"class ids come as 'mono8', not '{printable(message.encoding)}'")
    image = packed(message)
    return np.frombuffer(image.data, np.uint8).reshape(image.height, image.width)
