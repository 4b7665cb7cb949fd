# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Encodings of luma and colour differences: pairs of pixels in one row, and planes."""

import cv2
import numpy as np
import pytest
from support.image_messages import ImageFields, raw

from mfs_seg_core.images import to_rgb
from mfs_seg_core.images.encoding import LAYOUTS

# Luma and colour differences of a pixel, and its colour.
COLOURS = pytest.mark.parametrize('yuv, rgb', [
    ((235, 128, 128), (255, 255, 255)), ((16, 128, 128), (0, 0, 0)), ((81, 90, 240), (255, 0, 0)),
    ((145, 54, 34), (0, 255, 0)), ((41, 240, 110), (0, 0, 255))])
# Order of the bytes of two pixels, each with one of the two colour differences.
PAIRS = {'yuv422': 'uyvy', 'uyvy': 'uyvy', 'yuv422_yuy2': 'yuyv', 'yuyv': 'yuyv'}
# Samples of the planes of an image of 4 rows of 6 pixels.
PLANES = {
    'nv12': lambda y, u, v: [y] * 24 + [u, v] * 6,
    'nv21': lambda y, u, v: [y] * 24 + [v, u] * 6,
    'nv24': lambda y, u, v: [y] * 24 + [u, v] * 24,
    **dict.fromkeys(('yuv420', 'yuv420p', 'i420'), lambda y, u, v: [y] * 24 + [u] * 6 + [v] * 6),
    'yv12': lambda y, u, v: [y] * 24 + [v] * 6 + [u] * 6,
}


@COLOURS
@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize('encoding', PAIRS)
def test_pairs(encoding, yuv, rgb, padding):
    pair = [yuv['yuv'.index(name)] for name in PAIRS[encoding]]
    pixels = np.tile(np.array(pair, np.uint8), (4, 3)).reshape(4, 6, 2)
    rgb_image = to_rgb(raw(pixels, encoding, padding))
    np.testing.assert_allclose(rgb_image.astype(int), np.broadcast_to(rgb, (4, 6, 3)), atol=2)


@COLOURS
@pytest.mark.parametrize('encoding', PLANES)
def test_planes(encoding, yuv, rgb):
    image = ImageFields(4, 6, encoding, 0, 6, bytes(PLANES[encoding](*yuv)))
    np.testing.assert_allclose(to_rgb(image).astype(int), np.broadcast_to(rgb, (4, 6, 3)), atol=2)


@pytest.mark.parametrize('encoding', PLANES)
def test_planes_of_padded_rows(encoding):
    tight = [*range(16, 40)] + [*range(100, 100 + len(PLANES[encoding](0, 0, 0)) - 24)]
    # Each row of luma is 6 bytes, and 2 of padding; those of colour in proportion.
    widths = {'nv24': [6] * 4 + [12] * 4, 'nv12': [6] * 6, 'nv21': [6] * 6}.get(
        encoding, [6] * 4 + [3] * 4)
    padded, start = [], 0
    for width in widths:
        padded += tight[start:start + width] + [0xEE] * (width // 3)
        start += width
    assert start == len(tight)
    np.testing.assert_array_equal(to_rgb(ImageFields(4, 6, encoding, 0, 8, bytes(padded))),
                                  to_rgb(ImageFields(4, 6, encoding, 0, 6, bytes(tight))))


@pytest.mark.parametrize('encoding', PLANES)
def test_step_of_planes_may_count_all_of_them(encoding):
    data = bytes(PLANES[encoding](145, 54, 34))
    image = ImageFields(4, 6, encoding, 0, len(data) // 4, data)
    np.testing.assert_allclose(to_rgb(image).astype(int), np.full((4, 6, 3), (0, 255, 0)), atol=2)


def test_planes_keep_the_places_of_colours():
    places = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 12
    picture = cv2.resize(np.kron(places, np.ones((8, 8, 1), np.uint8)), (24, 16))
    planes = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420)
    rgb_image = to_rgb(ImageFields(16, 24, 'yuv420', 0, 24, planes.tobytes()))
    np.testing.assert_allclose(rgb_image.astype(int), picture, atol=6)
    luma, u, v = planes[:16], *planes[16:].reshape(2, 8, 12)
    nv12 = np.concatenate([luma.ravel(), np.dstack([u, v]).ravel()])
    same = to_rgb(ImageFields(16, 24, 'nv12', 0, 24, nv12.tobytes()))
    np.testing.assert_array_equal(same, rgb_image)
    wide_u, wide_v = (np.kron(plane, np.ones((2, 2), np.uint8)) for plane in (u, v))
    nv24 = np.concatenate([luma.ravel(), np.dstack([wide_u, wide_v]).ravel()])
    same = to_rgb(ImageFields(16, 24, 'nv24', 0, 24, nv24.tobytes()))
    np.testing.assert_allclose(same.astype(int), rgb_image, atol=1)


def test_every_encoding_of_luma_is_tested():
    luma = {name for name in LAYOUTS if name.startswith(('y', 'u', 'nv', 'i'))}
    assert luma == {*PAIRS, *PLANES}
