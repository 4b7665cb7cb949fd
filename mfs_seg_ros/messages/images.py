# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages made of arrays and classes, and classes of messages; the choice of the converter."""

from __future__ import annotations

from array import array
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from vision_msgs.msg import LabelInfo, VisionClass

from mfs_seg_core.class_groups import load_groups, shipped_groups
from mfs_seg_core.images.conversion import Converter, convert_by_opencv
from mfs_seg_core.images.encoding import BAYER, MessageError
from mfs_seg_core.images.packed import PackedImage
from mfs_seg_core.labels import CAMVID, SETS, UNLABELLED, ClassSet, default_colour
from mfs_seg_core.util.text import printable

# Encodings of 8-bit samples that cv_bridge of every distribution converts.
CV_BRIDGE = {'rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8', 'yuv422', 'yuv422_yuy2',
             *(f'{order}8' for order in BAYER)}


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
    return LabelInfo(
        header=header,
        class_map=[VisionClass(class_id=number, class_name=name)
                   for number, name in classes.named_ids()],
        threshold=threshold)


def class_set(message: LabelInfo) -> ClassSet:
    """
    Return the classes of a LabelInfo.

    The message has no colours: they are those of the set or the shipped groups with the same names,
    else default ones.

    :param message: names of class ids.
    :returns: classes up to the highest id but 255.
    """
    given = {each.class_id: each.class_name for each in message.class_map
             if each.class_id < UNLABELLED}
    names = tuple(given.get(number, str(number)) for number in range(max(given, default=-1) + 1))
    groups = (load_groups(name, CAMVID).classes for name in shipped_groups())
    known = next((classes for classes in (*SETS.values(), *groups) if classes.names == names), None)
    return known or ClassSet('labels', names, np.array(
        [default_colour(number) for number in range(len(names))], np.uint8).reshape(-1, 3))


def cv_bridge_converter() -> Converter:
    """Return the conversion of cv_bridge; raise ImportError if it is not installed or broken."""
    # Its compiled part is imported on first use, and fails then if it was built for another NumPy.
    import cv_bridge.boost.cv_bridge_boost  # noqa: F401
    from cv_bridge import CvBridge, CvBridgeError

    bridge = CvBridge()

    def convert(image: PackedImage) -> np.ndarray:
        if image.encoding not in CV_BRIDGE:
            return convert_by_opencv(image)
        try:
            return bridge.imgmsg_to_cv2(image, 'rgb8')
        except CvBridgeError as error:
            raise MessageError(f"a {image.width}x{image.height} '{image.encoding}' image cannot be "
                               f'converted: {printable(str(error))}') from None

    return convert


@cache
def converter() -> Converter:
    """Return the conversion of cv_bridge to uint8 [H, W, 3] RGB if it works, else OpenCV's."""
    # A compiled module that was built for another NumPy raises SystemError.
    with suppress(ImportError, SystemError):
        return cv_bridge_converter()
    return convert_by_opencv
