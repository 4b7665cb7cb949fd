# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bits in use of 16-bit samples: found from the images of a stream, kept, and given."""

import cv2
import numpy as np
import pytest
from support.image_messages import CompressedFields, compressed, mosaic, raw

from mfs_seg_core.images import BitDepth, decode_rgb, to_rgb

# 40 rows of 64 pixels over the whole range of 8 bits.
GREY = np.linspace(0, 255, 40 * 64).astype(np.uint8).reshape(40, 64)
RGB = np.dstack([GREY, GREY[::-1], np.roll(GREY, 7, 1)])


def of_bits(pixels: np.ndarray, bits: int) -> np.ndarray:
    """Return 8-bit pixels as samples of this number of bits, in the lower bits of 16."""
    return np.round(pixels * ((2**bits - 1) / 255)).astype(np.uint16)


def grey_of(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(pixels[..., None], 3, 2)


@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize('bits', [8, 10, 12, 14, 16])
@pytest.mark.parametrize('given', [False, True])
def test_mono16(bits, given, bigendian):
    depth = BitDepth(bits if given else 0)
    image = raw(of_bits(GREY, bits), 'mono16', padding=6, bigendian=bigendian)
    np.testing.assert_allclose(to_rgb(image, depth).astype(int), grey_of(GREY), atol=1)
    assert depth.bits == bits


@pytest.mark.parametrize('bits', [9, 11, 13, 15])
def test_other_depths_can_be_given(bits):
    image = raw(of_bits(GREY, bits), 'mono16')
    np.testing.assert_allclose(to_rgb(image, BitDepth(bits)).astype(int), grey_of(GREY), atol=1)


def test_samples_in_the_upper_bits_have_the_full_range():
    image = raw(of_bits(GREY, 12) << 4, 'mono16')
    depth = BitDepth()
    np.testing.assert_allclose(to_rgb(image, depth).astype(int), grey_of(GREY), atol=1)
    assert depth.bits == 16


@pytest.mark.parametrize('order', ['rggb', 'bggr', 'gbrg', 'grbg'])
def test_bayer(order):
    image = raw(of_bits(mosaic(RGB, order), 12), f'bayer_{order}16')
    expected = to_rgb(raw(mosaic(RGB, order), f'bayer_{order}8'))
    np.testing.assert_allclose(to_rgb(image).astype(int), expected, atol=1)


@pytest.mark.parametrize('encoding', ['rgb16', 'bgr16', 'rgba16', 'bgra16'])
def test_colour_whatever_the_opacity(encoding):
    samples = of_bits(RGB, 12)
    if encoding.startswith('bgr'):
        samples = samples[..., ::-1]
    if 'a' in encoding:
        samples = np.concatenate([samples, np.full((40, 64, 1), 65535, np.uint16)], 2)
    rgb_image = to_rgb(raw(np.ascontiguousarray(samples), encoding))
    np.testing.assert_allclose(rgb_image.astype(int), RGB, atol=1)


@pytest.mark.parametrize('format', ['mono16; png compressed ', 'png', ''])
def test_16_bit_png(format):
    depth = BitDepth()
    image = compressed(of_bits(GREY, 12), '.png', format)
    np.testing.assert_allclose(decode_rgb(image, depth).astype(int), grey_of(GREY), atol=1)
    assert depth.bits == 12
    image = compressed(of_bits(RGB, 10), '.png', 'rgb16; png compressed bgr16')
    np.testing.assert_allclose(decode_rgb(image).astype(int), RGB, atol=1)


def test_16_bit_png_of_a_mosaic():
    image = compressed(of_bits(mosaic(RGB), 12), '.png', 'bayer_rggb16; png compressed ')
    expected = to_rgb(raw(mosaic(RGB), 'bayer_rggb8'))
    np.testing.assert_allclose(decode_rgb(image).astype(int), expected, atol=1)


@pytest.mark.parametrize('quality', [80, 95])
@pytest.mark.parametrize('bits', [12, 14, 16])
def test_jpeg_of_16_bit_samples(bits, quality):
    """As compressed_image_transport makes it: scaled by 16 bits, whatever the bits in use."""
    left = np.round(of_bits(GREY, bits) / 257).astype(np.uint8)
    data = cv2.imencode('.jpg', left, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    depth = BitDepth()
    found = decode_rgb(CompressedFields('mono16; jpeg compressed mono8', data), depth)
    assert depth.bits == bits
    # One of the steps that are left.
    assert np.abs(found[..., 0].astype(int) - GREY).mean() <= max(2, 2**(16 - bits))


def test_bits_are_kept_when_images_are_darker_and_raised_by_a_brighter_one():
    depth, seen = BitDepth(), []
    for factor in (1, 0.1, 0.02, 4, 1, 0.02):
        samples = (of_bits(GREY, 12) * factor).astype(np.uint16)
        rgb_image = to_rgb(raw(samples, 'mono16'), depth)
        seen.append(depth.bits)
        expected = np.round(samples * (255 / (2**depth.bits - 1)))
        np.testing.assert_allclose(rgb_image[..., 0].astype(int), expected, atol=1)
    assert seen == [12, 12, 12, 14, 14, 14]


def test_a_covered_camera_decides_nothing():
    depth = BitDepth()
    noise = np.random.default_rng(0).integers(60, 68, GREY.shape).astype(np.uint16)
    assert to_rgb(raw(noise, 'mono16'), depth).max() == 0
    assert depth.bits == 0
    to_rgb(raw(of_bits(GREY, 12), 'mono16'), depth)
    assert depth.bits == 12
    to_rgb(raw(noise, 'mono16'), depth)
    assert depth.bits == 12


def test_a_few_faulty_pixels_do_not_count():
    samples = of_bits(GREY, 12)
    samples[20, 30:32] = 65535
    depth = BitDepth()
    rgb_image = to_rgb(raw(samples, 'mono16'), depth)
    assert depth.bits == 12
    dark = samples // 5
    dark[20, 30:32] = 65535
    to_rgb(raw(dark, 'mono16'), depth)
    assert depth.bits == 12
    expected = GREY.copy()
    expected[20, 30:32] = 255
    np.testing.assert_allclose(rgb_image.astype(int), grey_of(expected), atol=1)


def test_bits_are_found_again_after_a_change_of_the_encoding():
    depth = BitDepth()
    to_rgb(raw(of_bits(GREY, 16), 'mono16'), depth)
    to_rgb(raw(of_bits(mosaic(RGB), 12), 'bayer_rggb16'), depth)
    assert depth.bits == 12


def test_samples_above_the_given_bits_are_white():
    depth = BitDepth(10)
    rgb_image = to_rgb(raw(of_bits(GREY, 12), 'mono16'), depth)
    assert 'more than the 10 bits of bit_depth' in depth.fault and depth.bits == 10
    np.testing.assert_allclose(rgb_image[..., 0].astype(int),
                               np.minimum(GREY.astype(int) * 4, 255), atol=3)
    depth = BitDepth(12)
    to_rgb(raw(of_bits(GREY, 12), 'mono16'), depth)
    assert depth.fault == depth.remark == ''


def test_8_bit_images_need_no_bits():
    depth = BitDepth()
    to_rgb(raw(GREY, 'mono8'), depth)
    decode_rgb(compressed(GREY, '.jpg'), depth)
    assert depth.bits == 0


@pytest.mark.parametrize('bits', [-1, 1, 7, 17])
def test_impossible_bits_are_rejected(bits):
    with pytest.raises(ValueError, match='from 8 to 16'):
        BitDepth(bits)


def test_grey_16_bit_png_without_a_name_is_not_cut():
    # As cv2.imdecode does without a flag.
    data = compressed(of_bits(GREY, 12), '.png').data
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).max() < 17
