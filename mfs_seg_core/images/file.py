# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image files as RGB."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mfs_seg_core.images.bit_depth import BitDepth
from mfs_seg_core.images.encoding import MessageError, check_pixels
from mfs_seg_core.images.jpeg_png_header import announced_size, is_cut

# Turned upright by EXIF, as viewers show files; decode.py explains why messages are not.
FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH


def read_image(path: Path, depth: BitDepth) -> np.ndarray:
    """
    Read an image file.

    Grey values become three equal channels, transparency is ignored, CMYK is converted, and the
    image is turned as its EXIF orientation says.

    :param path: PNG, JPEG, BMP, PNM, TIFF, WebP or JPEG 2000.
    :param depth: scales 16 bits to 8; the same for all images of a camera.
    :returns: uint8 [H, W, 3] RGB.
    :raises MessageError: the file is missing, empty, damaged or too large, or holds other values
        than 8 or 16 bits; one clause that names the file.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise MessageError(f"'{path}' cannot be read ({error.strerror})") from None
    if not data.size:
        raise MessageError(f"'{path}' is empty")
    try:
        image = decoded(data, FLAGS)
    except MessageError as error:
        raise MessageError(f"'{path}': {error}") from None
    if image is None:
        raise MessageError(f"'{path}' is damaged, or no image that OpenCV can read")
    if image.dtype == np.uint16:
        image = depth.reduced(image, 'file')
    if image.dtype != np.uint8:
        raise MessageError(f"'{path}' holds {image.dtype} values: convert it to 8 or 16 bits")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def decoded(data: np.ndarray, flags: int) -> np.ndarray | None:
    """
    Decode an image file, after its announced size was checked.

    :param data: uint8 ``[N]``, content of the file.
    :param flags: flags of OpenCV's ``imdecode``.
    :returns: the image; None: it is empty, cut, damaged, or no image.
    :raises MessageError: the announced size is too large.
    """
    if not data.size:
        return None
    check_pixels(*(announced_size(data.data) or (1, 1)))
    try:
        return None if is_cut(data.data) else cv2.imdecode(data, flags)
    except cv2.error:
        return None
