# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pixels inside the JPEG or PNG of a CompressedImage, as its field ``format`` describes them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mfs_seg_core.images.encoding import BAYER, LAYOUTS, MessageError, check_is_picture
from mfs_seg_core.util.text import printable


@dataclass(frozen=True)
class PixelFormat:
    """
    Pixels inside a JPEG or PNG, by the fields that compressed_image_transport writes.

    :param mosaic: 'bayer_rggb', for example: a grey image is the samples of a Bayer sensor; '':
        it is grey.
    :param swapped: the sender stored red as blue, and blue as red.
    :param cut: samples of 16 bits were cut down to 8 bits, since JPEG has no more.
    :param colour_lost: the sender made grey of a colour image.
    """

    mosaic: str = ''
    swapped: bool = False
    cut: bool = False
    colour_lost: bool = False


def pixel_format(text: str) -> PixelFormat:
    """
    Read the field ``format``.

    compressed_image_transport writes '<encoding>; <jpeg or png> compressed <stored encoding>', the
    last part for colour only until ROS Galactic; before ROS Groovy, 'jpeg' or 'png' alone. Case
    and blanks do not matter here.

    :param text: the field.
    :returns: the description; all defaults for texts that are not of this form.
    :raises MessageError: the message is a depth image.
    """
    compact = re.sub(r'\s', '', text).lower()
    encoding, _, rest = compact.partition(';')
    if 'compresseddepth' in rest or encoding.startswith('compresseddepth'):
        raise MessageError(f"format '{printable(text)}' is that of depth images, not of pictures: "
                           "choose the camera's colour or grey topic")
    check_is_picture(text.partition(';')[0].strip())
    codec, _, stored = rest.partition('compressed')
    mosaic = next((order for order in BAYER if encoding in (f'{order}8', f'{order}16')), '')
    if encoding.startswith('bayer') and not mosaic:
        raise MessageError(f"format '{printable(text)}' has an unknown order of Bayer pixels: send "
                           f"one of {', '.join(f'{order}8' for order in BAYER)}")
    # By conversion to mono8, as by compressed_image_transport since ROS Humble.
    grey = stored.startswith('mono')
    layout = LAYOUTS.get(encoding)
    return PixelFormat(
        mosaic='' if grey else mosaic,
        swapped=stored.startswith('rgb'),
        cut=bool(layout and layout.sample == 2 and codec.startswith('jp')),
        colour_lost=bool(grey and layout) and not encoding.startswith(('mono', '8uc1')))
