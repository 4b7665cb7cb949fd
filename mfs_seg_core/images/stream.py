# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The images of one topic, converted one after another."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfs_seg_core.images.bit_depth import BitDepth
from mfs_seg_core.images.conversion import Converter, convert_by_opencv
from mfs_seg_core.images.decode import decode_rgb, to_rgb
from mfs_seg_core.images.remarks import remark
from mfs_seg_core.util.text import printable

# Most remarks on a stream: a sender may vary its fields without end.
MAX_REMARKS = 20


class ImageStream:
    """
    Converts the messages of one topic, and remarks on what they leave open.

    :param bit_depth: bits in use of 16-bit samples; 0: find them, see :class:`BitDepth`.
    :param convert: converts an Image of 8-bit samples to uint8 [H, W, 3] RGB.
    :raises ValueError: ``bit_depth`` is neither 0 nor from 8 to 16.
    """

    def __init__(self, bit_depth: int = 0, convert: Converter = convert_by_opencv) -> None:
        self._depth = BitDepth(bit_depth)
        self._convert = convert
        self._seen = None
        # All remarks, and those that new_remarks() has not returned yet.
        self._remarks: list[str] = []
        self._new: list[str] = []
        self._name = ''

    @property
    def fault(self) -> str:
        """A sentence on a wrong ``bit_depth``; '': it is right so far."""
        return self._depth.fault

    @property
    def description(self) -> str:
        """Encoding or format of the images, and the bits in use of 16-bit samples."""
        bits = f', {self._depth.bits} bits in use' if self._depth.bits else ''
        return f'{printable(self._name)}{bits}'

    def rgb(self, message: Any) -> np.ndarray:
        """
        Convert a message.

        :param message: sensor_msgs Image or CompressedImage, of rclpy or of rosbags.
        :returns: uint8 [H, W, 3] RGB, possibly a read-only view of the message's data.
        :raises MessageError: the message is invalid, see :func:`to_rgb` and :func:`decode_rgb`.
        """
        compressed = hasattr(message, 'format')
        if compressed:
            pixels = decode_rgb(message, self._depth)
        else:
            pixels = to_rgb(message, self._depth, self._convert)
        self._name = message.format if compressed else message.encoding
        seen = self._name, 0 if compressed else message.step, self._depth.remark
        if seen != self._seen:
            self._seen = seen
            for sentence in (remark(message), self._depth.remark):
                if (sentence and sentence not in self._remarks
                        and len(self._remarks) < MAX_REMARKS):
                    self._remarks.append(sentence)
                    self._new.append(sentence)
        return pixels

    def new_remarks(self) -> list[str]:
        """Return the sentences since the last call; each occurs once for a stream."""
        new, self._new = self._new, []
        return new
