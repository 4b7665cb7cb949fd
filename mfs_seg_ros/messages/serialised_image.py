# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reader of serialised images, whose pixels are not copied, where rclpy copies them twice."""

from __future__ import annotations

from typing import NamedTuple

from std_msgs.msg import Header

from mfs_seg_core.util.serialization import CdrReader
from mfs_seg_ros.messages.images import header_of


class SerialisedImage(NamedTuple):
    """The fields of a sensor_msgs Image; ``data`` is a view of its message."""

    header: Header
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: memoryview


def read_image(message: bytes) -> SerialisedImage:
    """
    Read an Image.

    :param message: serialised bytes.
    :returns: its fields.
    :raises ValueError: the message is truncated or not in CDR.
    """
    cdr = CdrReader(message)
    header = header_of(*cdr.header())
    height, width = cdr.number('I'), cdr.number('I')
    encoding, is_bigendian, step = cdr.text(), cdr.number('B'), cdr.number('I')
    return SerialisedImage(header, height, width, encoding, is_bigendian, step,
                           cdr.octets(cdr.number('I')))
