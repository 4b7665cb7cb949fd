# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversion of the messages Image and CompressedImage to arrays."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from mfs_seg_core.images.bit_depth import BitDepth
from mfs_seg_core.images.compressed_format import PixelFormat, pixel_format
from mfs_seg_core.images.conversion import Converter, convert_by_opencv
from mfs_seg_core.images.encoding import LAYOUTS, MessageError, check_pixels, layout_of
from mfs_seg_core.images.jpeg_png_header import announced_size, is_cut
from mfs_seg_core.images.packed import PackedImage, packed
from mfs_seg_core.util.text import printable

# The EXIF orientation is for viewers; the camera's calibration does not include it.
_FLAGS = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION


def to_rgb(message: Any, depth: BitDepth | None = None,
           convert: Converter = convert_by_opencv) -> np.ndarray:
    """
    Convert an Image to RGB.

    :param message: sensor_msgs Image, of rclpy or of rosbags, in one of the encodings of
        ``encoding.LAYOUTS``, with rows of any ``step``, in either byte order.
    :param depth: bits in use of 16-bit samples, one object for each stream; None: those of this
        image.
    :param convert: converts the checked image of 8-bit samples to uint8 [H, W, 3] RGB.
    :returns: uint8 [H, W, 3] RGB, possibly a read-only view of the message's data.
    :raises MessageError: the message is invalid, or the converter fails.
    """
    return _converted(packed(message), depth, convert)


def decode_rgb(message: Any, depth: BitDepth | None = None) -> np.ndarray:
    """
    Decode a CompressedImage.

    :param message: sensor_msgs CompressedImage, of rclpy or of rosbags: a JPEG or PNG image, of
        the pixels that its ``format`` says.
    :param depth: bits in use of 16-bit samples, as for :func:`to_rgb`.
    :returns: uint8 [H, W, 3] RGB.
    :raises MessageError: the data are another format, truncated or too large, or a depth image.
    """
    stored = pixel_format(message.format)
    pixels = _decoded(message)
    height, width = pixels.shape[:2]
    from_jpeg = stored.cut and pixels.itemsize == 1
    encoding = _encoding(pixels, stored, 16 if from_jpeg else 8 * pixels.itemsize)
    step = width * LAYOUTS[encoding].pixel
    image = PackedImage(height, width, encoding, int(sys.byteorder == 'big'), step, pixels)
    return _converted(image, depth, convert_by_opencv, from_jpeg)


def to_labels(message: Any) -> np.ndarray:
    """
    Return the class ids of an Image.

    :param message: mask, 'mono8' or '8UC1'.
    :returns: class ids, uint8 [H, W].
    :raises MessageError: the encoding is another one, or the message is invalid.
    """
    name, layout = layout_of(message.encoding)
    if 'mono8' not in (name, layout.read_as):
        raise MessageError(f"class ids come as 'mono8', not '{printable(message.encoding)}'")
    image = packed(message)
    return np.frombuffer(image.data, np.uint8).reshape(image.height, image.width)


def _decoded(message: Any) -> np.ndarray:
    """Return the pixels of a JPEG or PNG, [H, W] grey or [H, W, 3] BGR, uint8 or uint16."""
    data = np.frombuffer(message.data, np.uint8)
    size = announced_size(data.data)
    if size:
        # The header of a small message can declare more pixels than fit into memory.
        check_pixels(*size)
    try:
        pixels = None if not size or is_cut(data.data) else cv2.imdecode(data, _FLAGS)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise MessageError(
            f"compressed image of {data.size} bytes and format '{printable(message.format)}' "
            'cannot be decoded: send whole JPEG or PNG images')
    return pixels


def _encoding(pixels: np.ndarray, stored: PixelFormat, bits: int) -> str:
    if pixels.ndim == 2:
        return f"{stored.mosaic or 'mono'}{bits}"
    return f"{'rgb' if stored.swapped else 'bgr'}{bits}"


def _converted(image: PackedImage, depth: BitDepth | None, convert: Converter,
               from_jpeg: bool = False) -> np.ndarray:
    try:
        return convert(_reduced(image, depth or BitDepth(), from_jpeg))
    except cv2.error as error:
        raise MessageError(
            f"a {image.width}x{image.height} '{image.encoding}' image cannot be converted: "
            f'{error.err}') from None


def _reduced(image: PackedImage, depth: BitDepth, from_jpeg: bool) -> PackedImage:
    """Return the image with 8-bit samples; 16-bit samples are scaled by the bits in use."""
    layout = LAYOUTS[image.encoding]
    if layout.sample == 1:
        return image
    kind = np.uint8 if from_jpeg else np.uint16
    samples = np.frombuffer(image.data, kind).reshape(image.height, image.width, -1)
    # The opacity may use more bits than the colours.
    samples = samples[..., :3]
    encoding = image.encoding.replace('a16', '16')
    data = depth.reduced(samples, image.encoding)
    return replace(image, encoding=encoding.replace('16', '8'),
                   step=image.width * samples.shape[2], data=data)
