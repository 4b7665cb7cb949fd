# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Encoder of EVT3, the 16-bit words of Prophesee's cameras.

Source: Prophesee, "EVT 3.0 format"; :mod:`mfs_seg_core.events.decoders.evt3` has the table.
"""

from __future__ import annotations

import numpy as np

from mfs_seg_core.events.types import Events

ADDR_Y, ADDR_X, TIME_LOW, TIME_HIGH = 0x0000, 0x2000, 0x6000, 0x8000
POLARITY = 0x800
# Number of columns and rows that 11 bits address.
LARGEST = 1 << 11
# Time is sent modulo 2^24 us, as two halves of 12 bits.
HALF_BITS, HALF = 12, 0xFFF


def encode_evt3(events: Events) -> bytes:
    """
    Encode events as a stream that decodes from its first byte on.

    TIME_HIGH, TIME_LOW and ADDR_Y come first, and again where they change. Every TIME_HIGH of a
    pause is sent too, because decoders count the wraps of the time by it.

    :param events: events in the order of time.
    :returns: little-endian words; empty without events.
    :raises ValueError: if time goes back, or an event lies beyond column or row 2047.
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
    # TIME_LOW follows every TIME_HIGH, because some decoders set the low half to 0 there.
    lows, rows = (np.diff(field, prepend=-1) != 0 for field in (t, y.astype(np.int32)))
    lows[0] = True
    ends = np.cumsum(highs + lows + rows + 1)
    words = np.full(ends[-1], -1, np.int64)
    words[ends - 1] = ADDR_X + POLARITY * p.astype(np.int64) + x
    words[(ends - 2)[rows]] = ADDR_Y + y[rows].astype(np.int64)
    words[(ends - 2 - rows)[lows]] = TIME_LOW + (t[lows] & HALF)
    # The remaining words are the TIME_HIGH, each value once.
    words[words < 0] = TIME_HIGH + (np.arange(high[0], high[-1] + 1) & HALF)
    return words.astype('<u2').tobytes()
