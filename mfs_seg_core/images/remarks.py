# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Remarks on messages that leave something open, or have lost something."""

from __future__ import annotations

from typing import Any

from mfs_seg_core.images.compressed_format import pixel_format
from mfs_seg_core.images.encoding import layout_of
from mfs_seg_core.images.packed import row_step
from mfs_seg_core.util.text import printable


def remark(message: Any) -> str:
    """
    Return a sentence on how a message is read where its fields leave that open.

    :param message: sensor_msgs Image or CompressedImage that was converted without an error.
    :returns: sentence; '' if nothing is open.
    """
    return _remark_compressed(message.format) if hasattr(message, 'format') else _remark(message)


def _remark(message: Any) -> str:
    name, layout = layout_of(message.encoding)
    if name.startswith('8uc'):
        return (f"encoding '{message.encoding}' names no colours: the images are read as "
                f"'{layout.read_as}'")
    step = row_step(message)
    if step != message.step:
        return (f'step is {message.step} bytes, but the data are rows of {step} without padding: '
                'they are read so')
    return ''


def _remark_compressed(text: str) -> str:
    stored = pixel_format(text)
    if stored.colour_lost:
        return (f"format '{printable(text)}' says that colour images were compressed as grey ones: "
                "let the sender compress as 'png', or publish 'rgb8'")
    if stored.cut:
        return (f"format '{printable(text)}' says that JPEG left 8 of 16 bits: let the sender "
                "compress as 'png'")
    return ''
