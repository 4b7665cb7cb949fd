# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages to arrays and back: Image, CompressedImage, LabelInfo."""

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
    Return the picture of an Image as uint8 [H, W, 3] RGB; it may be a read-only view of the data.

    Colours and layouts of `image_layout.LAYOUTS`, rows of any `step`, either byte order.
    Raises MessageError with one sentence when the message contradicts itself.
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
    Return the picture of a CompressedImage (JPEG, PNG) as uint8 [H, W, 3] RGB.

    Raises MessageError with one sentence when it cannot be decoded.
    """
    data = np.frombuffer(message.data, np.uint8)
    size = announced_size(data.data)
    if size:
        # A few bytes can announce more pixels than there is memory.
        check_pixels(*size)
    # The orientation that a JPEG may name is for viewers: the camera's calibration ignores it.
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
    Return the class ids of a mono8 Image as uint8 [H, W].

    Raises MessageError with one sentence when the message is another kind of image or wrong.
    """
    if message.encoding != 'mono8':
        raise MessageError(f"class ids come as 'mono8', not '{printable(message.encoding)}'")
    image = packed(message)
    return np.frombuffer(image.data, np.uint8).reshape(image.height, image.width)


def image_message(pixels: np.ndarray, encoding: str, header: Header) -> Image:
    """
    Return an Image with this header, its rows not padded.

    `pixels` is uint8, [H, W] for 'mono8' and [H, W, 3] for 'rgb8'.
    """
    height, width = pixels.shape[:2]
    # Any other type than array.array is copied element by element when it is assigned.
    data = array('B')
    data.frombytes(np.ascontiguousarray(pixels).data)
    return Image(header=header, height=height, width=width, encoding=encoding,
                 is_bigendian=0, step=len(data) // height, data=data)


def stamp_ns(message: Any) -> int:
    """Return the header stamp of a message in nanoseconds."""
    stamp = message.header.stamp
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def header_of(stamp_ns: int, frame_id: str) -> Header:
    """Return a header with this stamp, in nanoseconds."""
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    return Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id=frame_id)


def label_info_message(classes: ClassSet, header: Header, threshold: float = 0.0) -> LabelInfo:
    """
    Return the class ids and names that masks of these classes use, 255 included.

    `threshold` is the probability below which a pixel is 255.
    """
    named = [*enumerate(classes.names), (UNLABELLED, 'unlabelled')]
    return LabelInfo(
        header=header,
        class_map=[VisionClass(class_id=number, class_name=name) for number, name in named],
        threshold=threshold)


def cv_bridge_converter() -> Callable[[PackedImage], np.ndarray]:
    """Return cv_bridge's conversion; raises ImportError where it is not installed or broken."""
    # Its compiled part is imported on first use, and fails then where NumPy's ABI is another.
    import cv_bridge.boost.cv_bridge_boost  # noqa: F401
    from cv_bridge import CvBridge

    bridge = CvBridge()
    return lambda image: bridge.imgmsg_to_cv2(image, 'rgb8')


def rosbags_converter() -> Callable[[PackedImage], np.ndarray]:
    """Return rosbags-image's conversion; raises ImportError where it is not installed."""
    from rosbags.image import message_to_cvimage

    return lambda image: message_to_cvimage(image, 'rgb8')


@cache
def converter() -> Callable[[PackedImage], np.ndarray]:
    """
    Return the conversion of cv_bridge where that works, else that of rosbags-image.

    Raises ValueError with one sentence where there is neither.
    """
    # SystemError: how a compiled module fails that was built for another NumPy.
    for make in (cv_bridge_converter, rosbags_converter):
        with suppress(ImportError, SystemError):
            return make()
    raise ValueError('images cannot be converted: install ros-<distro>-cv-bridge with apt, or '
                     'rosbags-image with pip')
