# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The images of one topic: bits that are kept, and remarks that are made once."""

import numpy as np
import pytest
from support.image_messages import compressed, raw

from mfs_seg_core.images import ImageStream, MessageError
from mfs_seg_core.images.stream import MAX_REMARKS

GREY = np.linspace(0, 255, 16 * 20).astype(np.uint8).reshape(16, 20)
RGB = np.dstack([GREY, GREY[::-1], GREY])


def test_images_and_compressed_images():
    stream = ImageStream()
    np.testing.assert_array_equal(stream.rgb(raw(RGB, 'rgb8')), RGB)
    assert stream.description == 'rgb8'
    np.testing.assert_array_equal(stream.rgb(compressed(RGB, '.png', 'rgb8; png')), RGB)
    assert stream.description == 'rgb8; png'
    assert stream.new_remarks() == [] and stream.fault == ''


def test_bits_are_kept_from_image_to_image():
    stream = ImageStream()
    bright, dark = (GREY * np.uint16(16) // part for part in (1, 20))
    stream.rgb(raw(bright, 'mono16'))
    assert stream.description == 'mono16, 12 bits in use'
    assert stream.rgb(raw(dark, 'mono16')).max() == 13
    remarks = stream.new_remarks()
    assert len(remarks) == 1 and "'mono16' use 12 bits" in remarks[0]
    stream.rgb(raw(bright * 4, 'mono16'))
    stream.rgb(raw(dark, 'mono16'))
    assert stream.description == 'mono16, 14 bits in use'
    assert ["'mono16' use 14 bits" in text for text in stream.new_remarks()] == [True]


def test_given_bits():
    stream = ImageStream(12)
    assert stream.rgb(raw(GREY.astype(np.uint16) * 2, 'mono16')).max() == 32
    assert stream.description == 'mono16, 12 bits in use'
    assert stream.new_remarks() == [] and stream.fault == ''
    stream.rgb(raw(GREY.astype(np.uint16) * 257, 'mono16'))
    assert stream.new_remarks() == [stream.fault] and 'set bit_depth to 0' in stream.fault


def test_each_remark_is_made_once():
    stream = ImageStream()
    for _ in range(3):
        stream.rgb(raw(RGB, '8UC3'))
        stream.rgb(raw(GREY, '8UC1'))
    assert ["'bgr8'" in text for text in stream.new_remarks()] == [True, False]
    stream.rgb(raw(RGB, '8UC3'))
    assert stream.new_remarks() == []


def test_endless_remarks_end():
    stream, message = ImageStream(), raw(RGB, 'rgb8')
    for message.step in range(2 * MAX_REMARKS):
        stream.rgb(message)
    assert len(stream.new_remarks()) == MAX_REMARKS
    for message.step in range(2 * MAX_REMARKS):
        stream.rgb(message)
    assert stream.new_remarks() == []


def test_an_invalid_message_changes_nothing():
    stream = ImageStream()
    stream.rgb(raw(GREY, 'mono8'))
    with pytest.raises(MessageError):
        stream.rgb(raw(RGB, 'rgb9'))
    assert stream.description == 'mono8' and stream.new_remarks() == []


def test_a_name_is_one_printable_line():
    stream = ImageStream()
    stream.rgb(compressed(RGB, '.png', 'png\n[ERROR]'))
    assert stream.description == 'png?[ERROR]'
