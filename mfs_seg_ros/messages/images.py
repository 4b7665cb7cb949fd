# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversion between arrays and the messages Image, CompressedImage and LabelInfo."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import cv2
import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from vision_msgs.msg import LabelInfo, VisionClass

from mfs_seg_core.labels import UNLABELLED, ClassSet
from mfs_seg_core.util.text import printable
from mfs_seg_ros.messages.image_encoding import MessageError, PackedImage, check_pixels, packed
from mfs_seg_ros.messages.jpeg_png_header import announced_size


def to_rgb(message: Image) -> np.ndarray:
    """
    Convert an Image to RGB.

    :param message: image in one of the encodings of ``image_encoding.LAYOUTS``, with rows of any
        ``step``, in either byte order.
    :returns: uint8 [H, W, 3] RGB, possibly a read-only view of the message's data.
    :raises MessageError: the message is invalid, or the converter fails.
    """
    image = packed(message)
    try:
        return converter()(image)
    except cv2.error as error:
        raise MessageError(
            f"a {image.width}x{image.height} '{message.encoding}' image cannot be converted: "
            f'{error.err}') from None


def decode_rgb(message: CompressedImage) -> np.ndarray:
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


def to_labels(message: Image) -> np.ndarray:
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


def image_message(pixels: np.ndarray, encoding: str, header: Header) -> Image:
    """
    Return an Image without row padding.

    :param pixels: uint8, [H, W] for 'mono8' and [H, W, 3] for 'rgb8'.
    :param encoding: 'mono8' or 'rgb8'.
    :param header: header of the message.
    :returns: message with a copy of the pixels.
    """
    height, width = pixels.shape[:2]
    # rclpy copies any type other than array.array element by element.
    data = array('B')
    data.frombytes(np.ascontiguousarray(pixels).data)
    return Image(header=header, height=height, width=width, encoding=encoding,
                 is_bigendian=0, step=len(data) // height, data=data)


def stamp_ns(message: Any) -> int:
    """Return the header stamp of a message in nanoseconds."""
    stamp = message.header.stamp
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def header_of(stamp_ns: int, frame_id: str) -> Header:
    """Return a header with this stamp, in nanoseconds, and this frame."""
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    return Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id=frame_id)


def label_info_message(classes: ClassSet, header: Header, threshold: float = 0.0) -> LabelInfo:
    """
    Return the class ids and names of masks, including 255, unlabelled.

    :param classes: classes of the weights.
    :param header: header of the message.
    :param threshold: probability below which a pixel of the mask is 255.
    :returns: message.
    """
    named = [*enumerate(classes.names), (UNLABELLED, 'unlabelled')]
    return LabelInfo(
        header=header,
        class_map=[VisionClass(class_id=number, class_name=name) for number, name in named],
        threshold=threshold)


def cv_bridge_converter() -> Callable[[PackedImage], np.ndarray]:
    """Return the conversion of cv_bridge; raise ImportError if it is not installed or broken."""
    # Its compiled part is imported on first use, and fails then if it was built for another NumPy.
    import cv_bridge.boost.cv_bridge_boost  # noqa: F401
    from cv_bridge import CvBridge

    bridge = CvBridge()
    return lambda image: bridge.imgmsg_to_cv2(image, 'rgb8')


def rosbags_converter() -> Callable[[PackedImage], np.ndarray]:
    """Return the conversion of rosbags-image; raise ImportError if it is not installed."""
    from rosbags.image import message_to_cvimage

    return lambda image: message_to_cvimage(image, 'rgb8')


@cache
def converter() -> Callable[[PackedImage], np.ndarray]:
    """
    Return the conversion of cv_bridge if it works, else that of rosbags-image.

    :returns: function from a packed image to uint8 [H, W, 3] RGB.
    :raises ValueError: neither of the two is usable.
    """
    # A compiled module that was built for another NumPy raises SystemError.
    for make in (cv_bridge_converter, rosbags_converter):
        with suppress(ImportError, SystemError):
            return make()
    raise ValueError('images cannot be converted: install ros-<distro>-cv-bridge with apt, or '
                     'rosbags-image with pip')
