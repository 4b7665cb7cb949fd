# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Number of bits that a stream uses of its 16-bit samples."""

from __future__ import annotations

import cv2
import numpy as np

# Depths of the converters in cameras.
DEPTHS = (8, 10, 12, 14, 16)
# A larger share of the samples above a depth rules it out. Fewer are faulty pixels or highlights.
MAX_SHARE = 1e-3
# JPEG keeps the upper 8 of 16 bits, of which fewer than 12 leave nothing; and it overshoots edges.
JPEG_UNIT, JPEG_LEAST, JPEG_SLACK = 257, 12, 1.25


class BitDepth:
    """
    Scales the 16-bit samples of one stream to 8 bits, by the bits in use.

    Cameras of 10, 12 or 14 bits fill the lower bits of 16 ('mono16', 'bayer_rggb16') or the upper
    ones; nothing in a message says which. The smallest of ``DEPTHS`` that holds the samples is
    found from the images so far, and kept: darker images never lower it, a brighter one raises it.
    Images with less than 8 bits in use (a covered camera) decide nothing, and are scaled by 16.

    :param given: bits in use, 8 to 16; 0: find them.
    :raises ValueError: the number is another one.
    """

    def __init__(self, given: int = 0) -> None:
        if given and not DEPTHS[0] <= given <= DEPTHS[-1]:
            raise ValueError(f'bit_depth must be 0 (automatic) or from 8 to 16, not {given}')
        self.given = given
        self._bits = given
        self._encoding = ''
        self._exceeded = False

    @property
    def bits(self) -> int:
        """Bits in use; 0: not known yet, or not needed."""
        return self._bits

    @property
    def remark(self) -> str:
        """A sentence on the bits that were found, or on a wrong given number; '': neither."""
        if self.given:
            return self.fault
        return (f"images of encoding '{self._encoding}' use {self._bits} bits, and are scaled by "
                'them; bit_depth can fix the number') if self._bits else ''

    @property
    def fault(self) -> str:
        """A sentence on a given number that the samples exceed; '': they do not."""
        return (f'samples of the images need more than the {self.given} bits of bit_depth, and '
                'become white: set bit_depth to 0 (automatic) or 16') if self._exceeded else ''

    def reduced(self, samples: np.ndarray, encoding: str) -> np.ndarray:
        """
        Scale samples to 8 bits.

        :param samples: colours or grey values of one image, uint16; uint8: the upper 8 of 16 bits,
            as a JPEG keeps them.
        :param encoding: encoding of the image; after a change, the bits are found again.
        :returns: uint8 of the same shape; values above the bits in use are 255.
        """
        if encoding != self._encoding:
            self._encoding, self._bits, self._exceeded = encoding, self.given, False
        unit, least, slack = ((JPEG_UNIT, JPEG_LEAST, JPEG_SLACK) if samples.dtype == np.uint8
                              else (1, DEPTHS[0], 1.0))
        if samples.size and int(samples.max()) * unit >> self._bits:
            self._look_above(samples, least, slack / unit)
        highest = (1 << (self._bits or DEPTHS[-1])) - 1
        rows = samples.reshape(len(samples), -1)
        return cv2.convertScaleAbs(rows, alpha=255 * unit / highest).reshape(samples.shape)

    def _look_above(self, samples: np.ndarray, least: int, slack: float) -> None:
        def exceed(bits: int) -> bool:
            above = np.count_nonzero(samples >= slack * (1 << bits))
            return above > MAX_SHARE * samples.size

        if self.given:
            self._exceeded |= exceed(self.given)
        elif self._bits or exceed(least - 1):
            self._bits = next((bits for bits in DEPTHS
                               if bits >= max(self._bits, least) and not exceed(bits)), DEPTHS[-1])
