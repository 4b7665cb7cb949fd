# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image messages without ROS, with the fields that the decoder reads."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass
class ImageFields:
    """Fields of a sensor_msgs Image."""

    height: int = 0
    width: int = 0
    encoding: str = ''
    is_bigendian: int = 0
    step: int = 0
    data: bytes | np.ndarray = b''


@dataclass
class CompressedFields:
    """Fields of a sensor_msgs CompressedImage."""

    format: str = ''
    data: bytes | np.ndarray = b''


def raw(pixels: np.ndarray, encoding: str, padding: int = 0, bigendian: bool = False
        ) -> ImageFields:
    """Return an image as drivers publish it, with rows padded by ``padding`` bytes."""
    order = '>' if bigendian else '<'
    rows = pixels.astype(pixels.dtype.newbyteorder(order)).reshape(len(pixels), -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xEE)
    return ImageFields(pixels.shape[0], pixels.shape[1], encoding, int(bigendian), rows.shape[1],
                       rows.tobytes())


def compressed(pixels: np.ndarray, extension: str, format: str = '') -> CompressedFields:
    """Return an image compressed by OpenCV; three channels are stored as red, green, blue."""
    stored = pixels[..., ::-1] if pixels.ndim == 3 and pixels.shape[2] == 3 else pixels
    return CompressedFields(format, cv2.imencode(extension, stored)[1].tobytes())


def mosaic(rgb: np.ndarray, order: str = 'rggb') -> np.ndarray:
    """Return the samples of a Bayer sensor of this order."""
    samples = np.empty(rgb.shape[:2], rgb.dtype)
    for index, colour in enumerate(order):
        row, column = divmod(index, 2)
        samples[row::2, column::2] = rgb[row::2, column::2, 'rgb'.index(colour)]
    return samples


def oriented(jpeg: bytes, orientation: int) -> bytes:
    """Return a JPEG with an orientation by EXIF."""
    # One entry: tag 0x112, short, count 1.
    tiff = b'MM\0\x2a' + struct.pack('>IHHHIHHI', 8, 1, 0x112, 3, 1, orientation, 0, 0)
    exif = b'Exif\0\0' + tiff
    return jpeg[:2] + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + jpeg[2:]
