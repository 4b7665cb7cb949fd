# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
``libcaer_cmp``: events of iniVation's cameras in 16-bit words, little endian, similar to EVT3.

==== =========== ==================================================================
type name        bits 11..0
==== =========== ==================================================================
0    TIME_HIGH   bits 23..12 of the time since the time base in us
1    TIME_LOW    bits 11..0 of the same
2    ADDR_X      column in 10..0
3    ADDR_Y      one event: row in 10..0, polarity in 11
4    VECT_BASE_Y base row in 10..0 and polarity in 11 of the following vectors
5    VECT_8      an event in row base + i for each bit i set in 7..0; then base += 8
==== =========== ==================================================================

Each message starts at time 0 without a column. VECT_12 (6) is declared in the source, but neither
written nor read there.
Source: ros-event-camera, event_camera_codecs.
"""

from __future__ import annotations

import numpy as np

from mfs_seg_core.events.decoders.compiled import check_times, count_bits, kernel, lowest_bit
from mfs_seg_core.events.decoders.decoder import (
    BEFORE,
    OUTSIDE,
    TIME_BASE,
    TRIGGERS,
    UNKNOWN,
    MessageDecoder,
)

TIME_HIGH, TIME_LOW, ADDR_X, ADDR_Y, VECT_BASE_Y, VECT_8 = range(6)
# Indices in the state, after those of all MessageDecoders.
TIME, COLUMN, BASE, POLARITY = range(2, 6)
NO_COLUMN = 0xffff
# Stays negative however many vectors add to it.
NO_BASE = -(1 << 60)


@kernel
def decode(data, width, height, state, counts, triggers):
    """Decode whole libcaer_cmp words."""
    words = data.view(np.uint16)
    room = 0
    for i in range(words.size):
        word = np.int64(words[i])
        room += word >> 12 == ADDR_Y
        room += count_bits(word & 0xff if word >> 12 == VECT_8 else 0)
    t, p = np.empty(room, np.int64), np.empty(room, np.bool_)
    x, y = np.empty(room, np.uint16), np.empty(room, np.uint16)
    time_base = state[TIME_BASE] // 1000
    time, column = state[TIME], state[COLUMN]
    base, polarity = state[BASE], state[POLARITY]
    n = before = outside = unknown = 0
    for i in range(words.size):
        word = np.int64(words[i])
        kind, value = word >> 12, word & 0x7ff
        if kind == ADDR_Y or kind == VECT_8:
            first, bits, p_of = value, 1, word >> 11 & 1
            if kind == VECT_8:
                first, bits, p_of = base, word & 0xff, polarity
                base += 8
            if column == NO_COLUMN or first < 0:
                before += count_bits(bits)
                continue
            inside = bits
            if column >= width:
                inside = 0
            elif first + 8 > height:
                inside &= (1 << max(height - first, 0)) - 1
            outside += count_bits(bits ^ inside)
            while inside:
                t[n], x[n], p[n] = time_base + time, column, p_of
                y[n] = first + lowest_bit(inside)
                n += 1
                inside &= inside - 1
        elif kind == ADDR_X:
            column = value
        elif kind == TIME_LOW:
            time = time & 0xfff000 | word & 0xfff
        elif kind == TIME_HIGH:
            time = time & 0xfff | (word & 0xfff) << 12
        elif kind == VECT_BASE_Y:
            base, polarity = value, word >> 11 & 1
        else:
            unknown += 1
    state[TIME], state[COLUMN] = time, column
    state[BASE], state[POLARITY] = base, polarity
    counts[BEFORE] += before
    counts[OUTSIDE] += outside
    check_times(t[:n], state, counts)
    counts[UNKNOWN] += unknown
    counts[TRIGGERS] = 0
    return t[:n], x[:n], y[:n], p[:n]


class LibcaerCmpDecoder(MessageDecoder):
    """Decoder of libcaer_cmp."""

    KERNEL = staticmethod(decode)
    WORD = 2
    START = (0, 0, 0, NO_COLUMN, NO_BASE, 0)
    UNIT_NS = 1000
