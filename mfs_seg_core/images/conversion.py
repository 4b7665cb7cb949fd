# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversion of a packed image to RGB by OpenCV."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from mfs_seg_core.images.encoding import LAYOUTS, PackedImage

# Converts an image to uint8 [H, W, 3] RGB.
Converter = Callable[[PackedImage], np.ndarray]
# OpenCV names a Bayer order by the second and third pixel of the second row.
_CODES = {
    'rgb': None,
    'bgr': cv2.COLOR_BGR2RGB,
    'rgba': cv2.COLOR_RGBA2RGB,
    'bgra': cv2.COLOR_BGRA2RGB,
    'mono': cv2.COLOR_GRAY2RGB,
    'bayer_rggb': cv2.COLOR_BayerBG2RGB,
    'bayer_bggr': cv2.COLOR_BayerRG2RGB,
    'bayer_gbrg': cv2.COLOR_BayerGR2RGB,
    'bayer_grbg': cv2.COLOR_BayerGB2RGB,
    'yuv422': cv2.COLOR_YUV2RGB_UYVY,
    'yuv422_yuy2': cv2.COLOR_YUV2RGB_YUY2,
}


def convert_by_opencv(image: PackedImage) -> np.ndarray:
    """
    Convert an image to RGB.

    :param image: image without row padding, in this machine's byte order.
    :returns: uint8 [H, W, 3] RGB, possibly a read-only view of the image's data.
    """
    layout = LAYOUTS[image.encoding]
    pixels = np.frombuffer(image.data, np.uint8)
    if layout.sample == 2:
        pixels = (pixels.view(np.uint16) >> 8).astype(np.uint8)
    shape = (image.height, image.width, layout.pixel // layout.sample)
    code = _CODES[image.encoding.removesuffix('16').removesuffix('8')]
    pixels = pixels.reshape(shape)
    return pixels if code is None else cv2.cvtColor(pixels, code)
