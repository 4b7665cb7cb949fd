# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Events as EVT3, the 16-bit words of Prophesee's cameras.

Source: docs.prophesee.ai, "EVT 3.0 Format". A word's type is in its bits 15 to 12.
"""

from __future__ import annotations

import numpy as np

from mfs_seg_core.events.types import Events

ADDR_Y, ADDR_X, TIME_LOW, TIME_HIGH = 0x0000, 0x2000, 0x6000, 0x8000
POLARITY = 0x800
# Columns and rows that 11 bits can tell.
LARGEST = 1 << 11
# Time is sent modulo 2^24 us, in two halves of 12 bits.
HALF_BITS, HALF = 12, 0xFFF


def encode_evt3(events: Events) -> bytes:
    """
    Encode events so that they can be decoded from their first byte on.

    TIME_HIGH, TIME_LOW and ADDR_Y are sent at the start, and again where they change. No TIME_HIGH
    is left out in a pause: decoders count wraps of the time by it.

    :param events: in the order of time.
    :returns: little-endian words; without events there are none.
    :raises ValueError: time goes back, or an event is beyond column or row 2047.
    """
    t, x, y, p = events
    if not events.count:
        return b''
    if x.max() >= LARGEST or y.max() >= LARGEST:
        raise ValueError(f'events reach pixel ({x.max()}, {y.max()}): EVT3 has {LARGEST} columns '
                         'and rows; scale them first')
    if (np.diff(t) < 0).any():
        raise ValueError('time goes back between two events: sort them by time first')
    high = t >> HALF_BITS
    highs = np.diff(high, prepend=high[0] - 1)
    # With every TIME_HIGH: some decoders take the low half as 0 then.
    lows, rows = (np.diff(field, prepend=-1) != 0 for field in (t, y.astype(np.int32)))
    lows[0] = True
    ends = np.cumsum(highs + lows + rows + 1)
    words = np.full(ends[-1], -1, np.int64)
    words[ends - 1] = ADDR_X + POLARITY * p.astype(np.int64) + x
    words[(ends - 2)[rows]] = ADDR_Y + y[rows].astype(np.int64)
    words[(ends - 2 - rows)[lows]] = TIME_LOW + (t[lows] & HALF)
    # The free places are for TIME_HIGH, each of them once.
    words[words < 0] = TIME_HIGH + (np.arange(high[0], high[-1] + 1) & HALF)
    return words.astype('<u2').tobytes()
