# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pixels inside a JPEG or PNG, by the field ``format`` that image_transport writes."""

import numpy as np
import pytest
from support.image_messages import CompressedFields, compressed, mosaic, raw

from mfs_seg_core.images import MessageError, decode_rgb, to_rgb
from mfs_seg_core.images.compressed_format import PixelFormat, pixel_format

# Broad areas of colour, which JPEG keeps.
COLOURS = np.array([[[200, 100, 50], [40, 180, 90]], [[90, 60, 210], [230, 220, 30]]], np.uint8)
RGB = np.kron(COLOURS, np.ones((32, 32, 1), np.uint8))
GREY = RGB[..., 1]


@pytest.mark.parametrize('extension, tolerance', [('.png', 0), ('.jpg', 8)])
@pytest.mark.parametrize('order', ['rggb', 'bggr', 'gbrg', 'grbg'])
@pytest.mark.parametrize('form', [
    'bayer_{}8; {} compressed ', 'bayer_{}8; {} compressed bayer_{}8', 'bayer_{}8;{} compressed',
    'BAYER_{}8; {} compressed', ' bayer_{}8 ; {}', 'bayer_{}8;{}compressed'])
def test_a_mosaic_becomes_colour(form, order, extension, tolerance):
    codec = 'jpeg' if extension == '.jpg' else 'png'
    image = compressed(mosaic(RGB, order), extension, form.format(order, codec, order))
    expected = to_rgb(raw(mosaic(RGB, order), f'bayer_{order}8'))
    found = decode_rgb(image)
    assert np.abs(found.astype(int) - expected).mean() <= tolerance
    # The areas have their colours, but for their edges.
    np.testing.assert_allclose(found[8:24, 8:24].mean((0, 1)), COLOURS[0, 0], atol=12)
    np.testing.assert_allclose(found[40:56, 8:24].mean((0, 1)), COLOURS[1, 0], atol=12)


def test_a_bayer_image_that_the_sender_made_grey_stays_grey():
    # compressed_image_transport converts Bayer images to mono8 for JPEG since ROS Humble.
    image = compressed(GREY, '.png', 'bayer_rggb8; jpeg compressed mono8')
    np.testing.assert_array_equal(decode_rgb(image), np.repeat(GREY[..., None], 3, 2))
    assert pixel_format(image.format).colour_lost


@pytest.mark.parametrize('format', [
    'bgr8; jpeg compressed bgr8', 'rgb8; jpeg compressed bgr8', 'rgb8; png compressed bgr8',
    'rgba8; png compressed bgr8', 'RGB8;PNG compressed BGR8', 'yuv422; jpeg compressed bgr8',
    'rgb8; jpeg compressed', 'bayer_rggb8; jpeg compressed bgr8', 'jpeg', 'jpg', 'png', 'JPEG', '',
    '8UC3; jpeg compressed bgr8', 'mono8; jpeg compressed'])
def test_stored_colours_are_those_of_the_file(format):
    np.testing.assert_array_equal(decode_rgb(compressed(RGB, '.png', format)), RGB)


@pytest.mark.parametrize('format', [
    'bgr8; jpeg compressed rgb8', 'rgb8; jpeg compressed rgb8', 'bgr16; png compressed rgb16',
    'BGR8;jpegcompressedRGB8'])
def test_colours_that_were_stored_in_the_other_order_are_swapped(format):
    stored = np.ascontiguousarray(RGB[..., ::-1])
    np.testing.assert_array_equal(decode_rgb(compressed(stored, '.png', format)), RGB)


@pytest.mark.parametrize('format', ['mono8; jpeg compressed ', 'mono8; png compressed mono8',
                                    '8UC1; jpeg compressed mono8', 'png', 'jpeg', ''])
def test_grey_stays_grey(format):
    expected = np.repeat(GREY[..., None], 3, 2)
    np.testing.assert_array_equal(decode_rgb(compressed(GREY, '.png', format)), expected)
    assert not pixel_format(format).colour_lost


def test_transparent_png():
    pixels = np.concatenate([RGB[..., ::-1], np.full((64, 64, 1), 9, np.uint8)], 2)
    image = compressed(pixels, '.png', 'bgra8; png compressed bgr8')
    np.testing.assert_array_equal(decode_rgb(image), RGB)


@pytest.mark.parametrize('format, sentence', [
    ('16UC1; compressedDepth', 'is that of depth images'),
    ('16UC1; compressedDepth png', 'is that of depth images'),
    ('32FC1; compressedDepth rvl', "choose the camera's colour or grey topic"),
    ('mono16;COMPRESSEDDEPTH png', 'is that of depth images'),
    ('16UC1; png compressed ', "'16UC1' is that of depth"),
    ('32FC1; tiff compressed ', "'32FC1' is that of depth"),
    ('bayer_rgbw8; jpeg compressed ', 'unknown order of Bayer pixels: send one of bayer_rggb8'),
])
def test_what_is_no_picture_is_refused(format, sentence):
    with pytest.raises(MessageError) as raised:
        decode_rgb(compressed(GREY, '.png', format))
    assert sentence in str(raised.value) and '\n' not in str(raised.value)


@pytest.mark.parametrize('format', ['h264', 'rgb8; tiff compressed ', 'webp'])
def test_other_codecs_are_named(format):
    with pytest.raises(MessageError, match=f"format '{format}' cannot be decoded"):
        decode_rgb(CompressedFields(format, b'\0\0\0\1' * 20))


def test_jpeg_of_16_bits_is_told():
    assert pixel_format('mono16; jpeg compressed mono8').cut
    assert not pixel_format('mono16; png compressed ').cut
    assert not pixel_format('mono8; jpeg compressed ').cut
    assert pixel_format('anything at all') == PixelFormat()
