# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversion of a packed image of 8-bit samples to RGB by OpenCV."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from mfs_seg_core.images.encoding import LAYOUTS
from mfs_seg_core.images.packed import PackedImage

# Converts an image of 8-bit samples to uint8 [H, W, 3] RGB.
Converter = Callable[[PackedImage], np.ndarray]
# OpenCV names a Bayer order by the second and third pixel of the second row.
_CODES = {
    'bgr8': cv2.COLOR_BGR2RGB,
    'rgba8': cv2.COLOR_RGBA2RGB,
    'bgra8': cv2.COLOR_BGRA2RGB,
    'mono8': cv2.COLOR_GRAY2RGB,
    'bayer_rggb8': cv2.COLOR_BayerBG2RGB,
    'bayer_bggr8': cv2.COLOR_BayerRG2RGB,
    'bayer_gbrg8': cv2.COLOR_BayerGR2RGB,
    'bayer_grbg8': cv2.COLOR_BayerGB2RGB,
    'yuv422': cv2.COLOR_YUV2RGB_UYVY,
    'yuv422_yuy2': cv2.COLOR_YUV2RGB_YUY2,
    'nv12': cv2.COLOR_YUV2RGB_NV12,
    'nv21': cv2.COLOR_YUV2RGB_NV21,
    'yuv420': cv2.COLOR_YUV2RGB_I420,
    'yv12': cv2.COLOR_YUV2RGB_YV12,
}


def convert_by_opencv(image: PackedImage) -> np.ndarray:
    """
    Convert an image to RGB.

    :param image: image of 8-bit samples.
    :returns: uint8 [H, W, 3] RGB, possibly a read-only view of the image's data.
    """
    layout = LAYOUTS[image.encoding]
    pixels = np.frombuffer(image.data, np.uint8)
    if image.encoding == 'nv24':
        return _nv24(pixels.reshape(3, image.height, image.width))
    if len(layout.planes) > 1:
        pixels = pixels.reshape(-1, image.width)
    else:
        pixels = pixels.reshape(image.height, image.width, layout.pixel)
    code = _CODES.get(image.encoding)
    return pixels if code is None else cv2.cvtColor(pixels, code)


def _nv24(planes: np.ndarray) -> np.ndarray:
    """Convert luma, and pairs of colour differences for each pixel, uint8 [3, H, W]."""
    luma, colour = planes[0], planes[1:].reshape(*planes.shape[1:], 2)
    # OpenCV lacks the encoding: each pixel twice, as in yuv422, where two pixels share a colour.
    twice = np.stack([colour[..., 0], luma, colour[..., 1], luma], -1)
    height, width = luma.shape
    pixels = cv2.cvtColor(twice.reshape(height, 2 * width, 2), cv2.COLOR_YUV2RGB_UYVY)
    return np.ascontiguousarray(pixels[:, ::2])
