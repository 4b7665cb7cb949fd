# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversion of images with known pixels, and rejection of invalid messages."""

import struct

import cv2
import numpy as np
import pytest
from support.image_messages import CompressedFields, ImageFields, mosaic, oriented, raw

from mfs_seg_core.images import MessageError, decode_rgb, to_labels, to_rgb
from mfs_seg_core.images.encoding import LAYOUTS, MAX_PIXELS
from mfs_seg_core.images.jpeg_png_header import announced_size, is_cut

# 4 rows of 6 pixels: every pixel and every channel differs.
RGB = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3) * 3
ALPHA = np.full((4, 6, 1), 77, np.uint8)
GREY = RGB[..., :1]
# Colours in 16 bit whose 8-bit value is exact.
RGB16 = RGB.astype(np.uint16) * 257
ORDERS = ('rggb', 'bggr', 'gbrg', 'grbg')
# One colour, which interpolation between the samples of a Bayer sensor leaves as it is.
UNIFORM = np.full((8, 8, 3), (200, 100, 50), np.uint8)


EXACT = {
    'rgb8': (RGB, RGB),
    'bgr8': (RGB[..., ::-1], RGB),
    'rgba8': (np.concatenate([RGB, ALPHA], 2), RGB),
    'bgra8': (np.concatenate([RGB[..., ::-1], ALPHA], 2), RGB),
    'mono8': (GREY, np.repeat(GREY, 3, 2)),
    'rgb16': (RGB16, RGB),
    'bgr16': (RGB16[..., ::-1], RGB),
    'rgba16': (np.concatenate([RGB16, ALPHA.astype(np.uint16)], 2), RGB),
    'bgra16': (np.concatenate([RGB16[..., ::-1], ALPHA.astype(np.uint16)], 2), RGB),
    'mono16': (RGB16[..., :1], np.repeat(GREY, 3, 2)),
}


@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize('padding', [0, 1, 10])
@pytest.mark.parametrize('encoding', EXACT)
def test_pixels_are_converted(encoding, padding, bigendian):
    pixels, expected = EXACT[encoding]
    rgb_image = to_rgb(raw(np.ascontiguousarray(pixels), encoding, padding, bigendian))
    assert rgb_image.dtype == np.uint8
    # 16 bit is scaled to 8, and converters round differently.
    tolerance = 1 if encoding.endswith('16') else 0
    np.testing.assert_allclose(rgb_image.astype(int), expected, atol=tolerance)


@pytest.mark.parametrize('bits, colours', [(8, UNIFORM), (16, UNIFORM * np.uint16(257))])
@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize('order', ORDERS)
def test_bayer(order, padding, bits, colours):
    for bigendian in (False, True):
        rgb = to_rgb(raw(mosaic(colours, order), f'bayer_{order}{bits}', padding, bigendian))
        np.testing.assert_allclose(rgb.astype(int), UNIFORM, atol=1)


@pytest.mark.parametrize('encoding, pixels, same_as', [
    ('8UC1', GREY, 'mono8'), ('8UC3', RGB, 'bgr8'),
    ('8UC4', np.concatenate([RGB, ALPHA], 2), 'bgra8'), ('RGB8', RGB, 'rgb8'),
    ('Mono8', GREY, 'mono8')])
def test_other_names_of_encodings(encoding, pixels, same_as):
    np.testing.assert_array_equal(to_rgb(raw(pixels, encoding)), to_rgb(raw(pixels, same_as)))


def test_every_layout_is_tested():
    tested = {*EXACT, '8uc1', '8uc3', '8uc4'}
    tested |= {f'bayer_{order}{bits}' for order in ORDERS for bits in (8, 16)}
    # Those of luma and colour differences are in test_luma.py.
    assert tested == {name for name in LAYOUTS if not name.startswith(('y', 'u', 'nv', 'i'))}


def changed(**changes) -> ImageFields:
    """Return a valid image with other values in these fields."""
    image = raw(RGB, 'rgb8')
    for name, value in changes.items():
        setattr(image, name, value)
    return image


@pytest.mark.parametrize('image, sentence', [
    (changed(encoding='rgb9'), "unknown encoding 'rgb9': send one of rgb8, bgr8"),
    (changed(encoding=''), "unknown encoding ''"),
    (changed(step=17, data=bytes(17 * 4)), "step is 17 bytes, but 6 pixels of 'rgb8' take 18"),
    (changed(step=0, data=bytes(20 * 4)), 'step is 0 bytes'),
    (changed(data=bytes(71)), 'data has 71 bytes, but 4 rows of step 18 take 72'),
    (changed(data=b''), 'data has 0 bytes'),
    (changed(data=bytes(73)), 'data has 73 bytes'),
    (changed(height=5), 'data has 72 bytes, but 5 rows'),
    (ImageFields(encoding='rgb8'), 'the image is empty: 0x0'),
    (changed(height=0), 'the image is empty: 6x0'),
    (changed(width=0), 'the image is empty: 0x4'),
    (changed(width=2**32 - 1, height=2**32 - 1), 'million cannot be right'),
    (changed(width=MAX_PIXELS + 1, height=1), 'million cannot be right'),
    (changed(width=5, encoding='yuv422', step=18), 'must have an even width, not 5'),
    (changed(width=5, encoding='nv12'), "'nv12' must have an even width, not 5"),
    (changed(height=5, encoding='nv21'), "'nv21' must have an even height, not 5"),
    (changed(height=3, encoding='yuv420'), "'yuv420' must have an even height, not 3"),
    (changed(encoding='nv12', step=6, data=bytes(35)), "data has 35 bytes, but 4 rows of step 6 "
                                                       "take 36 as 'nv12'"),
    (changed(encoding='16UC1'), "'16UC1' is that of depth or other measurements, not of pictures"),
    (changed(encoding='32FC1'), "choose the camera's colour or grey topic"),
    (changed(encoding='64FC3'), 'is that of depth'),
    (changed(encoding='mono12p'), "let the driver publish 'mono16'"),
    (changed(encoding='bayer_rggb10'), "let the driver publish 'bayer_rggb16'"),
])
def test_invalid_messages_raise_one_sentence(image, sentence):
    with pytest.raises(MessageError) as raised:
        to_rgb(image)
    assert sentence in str(raised.value)
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('extension', ['.jpg', '.png'])
def test_compressed(extension):
    smooth = cv2.resize(RGB, (64, 48))
    _, data = cv2.imencode(extension, smooth[..., ::-1])
    rgb_image = decode_rgb(CompressedFields(data=data.tobytes()))
    assert rgb_image.dtype == np.uint8
    tolerance = 12 if extension == '.jpg' else 0
    np.testing.assert_allclose(rgb_image.astype(int), smooth, atol=tolerance)


def test_exif_does_not_turn_a_message():
    data = cv2.imencode('.jpg', RGB)[1].tobytes()
    np.testing.assert_array_equal(decode_rgb(CompressedFields('jpeg', oriented(data, 6))),
                                  decode_rgb(CompressedFields('jpeg', data)))


def test_compressed_grey_becomes_rgb():
    _, data = cv2.imencode('.png', GREY)
    rgb_image = decode_rgb(CompressedFields(data=data.tobytes()))
    np.testing.assert_array_equal(rgb_image, np.repeat(GREY, 3, 2))


@pytest.mark.parametrize('data', [b'', b'not an image', cv2.imencode('.jpg', RGB)[1][:40]])
def test_undecodable_data_raises_one_sentence(data):
    with pytest.raises(MessageError, match='cannot be decoded: send whole JPEG or PNG') as raised:
        decode_rgb(CompressedFields(format='jpeg', data=bytes(data)))
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('width, height', [(60_000, 60_000), (65_535, 1000), (30_000, 30_000)])
@pytest.mark.parametrize('extension', ['.jpg', '.png'])
def test_images_that_declare_too_many_pixels_are_not_decoded(extension, width, height, monkeypatch):
    data = bytearray(cv2.imencode(extension, RGB)[1].tobytes())
    if extension == '.png':
        data[16:24] = struct.pack('>II', width, height)
    else:
        offset = data.index(b'\xff\xc0') + 5
        data[offset:offset + 4] = struct.pack('>HH', height, width)
    monkeypatch.setattr(cv2, 'imdecode', lambda *_: pytest.fail('the image was decoded'))
    with pytest.raises(MessageError, match=f'the image is {width}x{height} pixels: more than'):
        decode_rgb(CompressedFields(data=bytes(data)))


def test_a_png_chunk_that_declares_more_bytes_than_there_are_is_not_decoded(monkeypatch):
    data = bytearray(cv2.imencode('.png', RGB)[1].tobytes())
    for place in (data.index(b'IDAT'), data.index(b'IEND')):
        damaged = data.copy()
        damaged[place - 4:place] = struct.pack('>I', 0xa3000000)
        with monkeypatch.context() as patch:
            patch.setattr(cv2, 'imdecode', lambda *_: pytest.fail('memory was allocated'))
            with pytest.raises(MessageError, match='cannot be decoded: send whole JPEG or PNG'):
                decode_rgb(CompressedFields(data=bytes(damaged)))


@pytest.mark.parametrize('extension', ['.bmp', '.tiff', '.webp', '.ppm'])
def test_other_formats_are_rejected(extension):
    data = cv2.imencode(extension, RGB)[1].tobytes()
    with pytest.raises(MessageError, match='send whole JPEG or PNG'):
        decode_rgb(CompressedFields(data=data))


@pytest.mark.parametrize('filling', [b'', b'\xff' * 3, b'\xff\xfe\0\6abcd', b'\xff\x01'])
def test_jpeg_size_is_found_after_other_segments(filling):
    data = cv2.imencode('.jpg', RGB)[1].tobytes()
    assert announced_size(data[:2] + filling + data[2:]) == (RGB.shape[1], RGB.shape[0])


@pytest.mark.parametrize('share', [0.5, 0.9, 0.999])
def test_a_cut_jpeg_is_told_without_decoding_it(share):
    data = cv2.imencode('.jpg', np.tile(RGB, (20, 20, 1)))[1].tobytes()
    assert is_cut(data[:int(share * len(data))]) and is_cut(memoryview(data[:-2] + bytes(5000)))
    # The end of a thumbnail is not that of the image.
    thumbnail = b'\xff\xfe\0\4\xff\xd9'
    assert is_cut(data[:2] + thumbnail + data[2:-300])
    # Drivers send their whole buffer.
    for padding in (b'', bytes(5000), b'junk'):
        assert not is_cut(data + padding)
        assert decode_rgb(CompressedFields('jpeg', data + padding)).shape == (80, 120, 3)


def test_a_jpeg_of_endless_segments_has_no_size():
    assert announced_size(b'\xff\xd8' + b'\xff\xfe\0\2' * 100_000) is None
    assert announced_size(b'\xff\xd8' + b'\xff\xfe\0\0' * 100_000) is None


@pytest.mark.parametrize('step', [0, 6, 17, 19, 2**32 - 1])
def test_data_of_exactly_the_pixels_have_no_padding(step):
    np.testing.assert_array_equal(to_rgb(changed(step=step)), RGB)


def test_the_last_row_may_lack_its_padding():
    image = raw(RGB, 'rgb8', padding=5)
    image.data = image.data[:-5]
    np.testing.assert_array_equal(to_rgb(image), RGB)


def test_quoted_text_is_one_printable_line():
    with pytest.raises(MessageError, match=r"'rgb\?\[ERROR\] x\?'"):
        to_rgb(changed(encoding='rgb\n[ERROR] x\t'))


def test_labels_round_trip():
    ids = GREY[..., 0]
    np.testing.assert_array_equal(to_labels(raw(ids, 'mono8', padding=3)), ids)
    with pytest.raises(MessageError, match="'mono8', not 'rgb8'"):
        to_labels(raw(RGB, 'rgb8'))
