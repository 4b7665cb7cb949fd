# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images read from their bytes have the fields that rclpy reads."""

from array import array

import pytest
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image

from mfs_seg_ros.messages.images import header_of
from mfs_seg_ros.messages.serialised_image import read_image


@pytest.mark.parametrize('frame_id', ['', 'a', 'cam', 'camera', 'front/left'])
@pytest.mark.parametrize('encoding', ['rgb8', 'mono8', 'bayer_rggb16', ''])
def test_fields_are_those_of_the_message(frame_id, encoding):
    # Strings of all lengths, as the alignment of the numbers after them depends on it.
    message = Image(header=header_of(1_700_000_000_123_456_789, frame_id), height=3, width=2,
                    encoding=encoding, is_bigendian=1, step=7, data=array('B', range(21)))
    image = read_image(serialize_message(message))
    assert image.header == message.header
    assert image[1:6] == (3, 2, encoding, 1, 7)
    assert bytes(image.data) == message.data.tobytes()
