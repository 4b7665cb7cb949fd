# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Remarks on what messages leave open."""

import numpy as np
import pytest
from support.image_messages import compressed, raw

from mfs_seg_core.images.remarks import remark

PIXELS = np.zeros((8, 10, 3), np.uint8)
GREY = PIXELS[..., 0]


@pytest.mark.parametrize('message, sentence', [
    (raw(PIXELS, '8UC3'), "encoding '8UC3' names no colours: the images are read as 'bgr8'"),
    (raw(GREY, '8UC1'), "read as 'mono8'"),
    (compressed(GREY, '.jpg', 'bayer_rggb8; jpeg compressed mono8'), 'compressed as grey ones'),
    (compressed(GREY, '.jpg', 'yuv422_yuy2; jpeg compressed mono8'), 'compressed as grey ones'),
    (compressed(GREY, '.jpg', 'mono16; jpeg compressed mono8'), 'JPEG left 8 of 16 bits'),
    *((message, '') for message in (
        raw(PIXELS, 'rgb8'), raw(GREY, 'mono8', padding=3), compressed(PIXELS, '.jpg', 'jpeg'),
        compressed(GREY, '.png', 'bayer_rggb8; png compressed '))),
])
def test_remarks(message, sentence):
    found = remark(message)
    assert sentence in found if sentence else not found


def test_a_wrong_step_is_remarked():
    message = raw(PIXELS, 'rgb8')
    message.step = 10
    assert remark(message) == ('step is 10 bytes, but the data are rows of 30 without padding: '
                               'they are read so')
