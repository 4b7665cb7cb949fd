# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Encodings of an Image that can be converted, with their byte layouts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mfs_seg_core.util.text import printable

# More than any camera has, so a message with a larger size is corrupt.
MAX_PIXELS = 64_000_000


class MessageError(ValueError):
    """A message is invalid; the text is one sentence with the reason."""


@dataclass(frozen=True)
class Layout:
    """
    Byte layout of an encoding.

    :param pixel: bytes of a pixel in a row of the first plane.
    :param sample: bytes of one sample of a pixel.
    :param read_as: encoding with the same bytes that converters know by that name; '': itself.
    :param multiple: width and height must be multiples of these, since pixels share their colour.
    :param planes: height and row of each plane, in halves of the image's.
    """

    pixel: int
    sample: int = 1
    read_as: str = ''
    multiple: tuple[int, int] = (1, 1)
    planes: tuple[tuple[int, int], ...] = ((2, 2),)

    def size(self, step: int, height: int) -> int:
        """Return the bytes of an image of this height whose first plane has rows of ``step``."""
        return sum((height * rows // 2) * (step * part // 2) for rows, part in self.planes)


BAYER = tuple(f'bayer_{order}' for order in ('rggb', 'bggr', 'gbrg', 'grbg'))
_SEMIPLANAR, _PLANAR = ((2, 2), (1, 2)), ((2, 2), (1, 1), (1, 1))
LAYOUTS = {
    'rgb8': Layout(3),
    'bgr8': Layout(3),
    'rgba8': Layout(4),
    'bgra8': Layout(4),
    'mono8': Layout(1),
    'rgb16': Layout(6, 2),
    'bgr16': Layout(6, 2),
    'rgba16': Layout(8, 2),
    'bgra16': Layout(8, 2),
    'mono16': Layout(2, 2),
    **{f'{order}8': Layout(1) for order in BAYER},
    **{f'{order}16': Layout(2, 2) for order in BAYER},
    'yuv422': Layout(2, multiple=(2, 1)),
    'uyvy': Layout(2, read_as='yuv422', multiple=(2, 1)),
    'yuv422_yuy2': Layout(2, multiple=(2, 1)),
    'yuyv': Layout(2, read_as='yuv422_yuy2', multiple=(2, 1)),
    'nv12': Layout(1, multiple=(2, 2), planes=_SEMIPLANAR),
    'nv21': Layout(1, multiple=(2, 2), planes=_SEMIPLANAR),
    'nv24': Layout(1, planes=((2, 2), (2, 4))),
    'yuv420': Layout(1, multiple=(2, 2), planes=_PLANAR),
    'yuv420p': Layout(1, read_as='yuv420', multiple=(2, 2), planes=_PLANAR),
    'i420': Layout(1, read_as='yuv420', multiple=(2, 2), planes=_PLANAR),
    'yv12': Layout(1, multiple=(2, 2), planes=_PLANAR),
    # OpenCV's types say how many channels there are, but not which: OpenCV's own order.
    '8uc1': Layout(1, read_as='mono8'),
    '8uc3': Layout(3, read_as='bgr8'),
    '8uc4': Layout(4, read_as='bgra8'),
}
_DEPTH = re.compile(r'(16[us]|32[sf]|64f)c[0-9]*')
_PACKED_SAMPLES = re.compile(r'(mono|bayer_[a-z]{4})(10|12|14)[a-z]*')


def layout_of(encoding: str) -> tuple[str, Layout]:
    """
    Return the name of an encoding in ``LAYOUTS``, in whatever case it is written, and its layout.

    :param encoding: encoding of a message.
    :returns: name and layout.
    :raises MessageError: the encoding is not known, or not that of a picture.
    """
    name = encoding.strip().lower()
    layout = LAYOUTS.get(name)
    if layout:
        return name, layout
    check_is_picture(encoding)
    if _PACKED_SAMPLES.fullmatch(name):
        wide = re.sub('1[024].*', '16', name)
        raise MessageError(f"encoding '{printable(encoding)}' does not say how its samples "
                           f"are packed: let the driver publish '{wide}'")
    raise MessageError(
        f"unknown encoding '{printable(encoding)}': send one of {', '.join(LAYOUTS)}")


def check_is_picture(encoding: str) -> None:
    """Raise MessageError if an encoding is one of depth images, or of other measurements."""
    if _DEPTH.fullmatch(encoding.strip().lower()):
        raise MessageError(
            f"encoding '{printable(encoding)}' is that of depth or other measurements, not of "
            "pictures: choose the camera's colour or grey topic, and let a driver publish 16-bit "
            "grey as 'mono16'")


def check_pixels(width: int, height: int) -> None:
    """Raise MessageError if an image has no pixels, or more than ``MAX_PIXELS``."""
    if width == 0 or height == 0:
        raise MessageError(f'the image is empty: {width}x{height} pixels')
    if width * height > MAX_PIXELS:
        raise MessageError(
            f'the image is {width}x{height} pixels: more than {MAX_PIXELS // 1_000_000} million '
            'cannot be right')
