# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
EVT3: 16-bit words, little endian, type in bits 15..12; repeated fields are sent once.

==== ============ =================================================================
type name         bits 11..0
==== ============ =================================================================
0    ADDR_Y       row in 10..0
2    ADDR_X       one event: column in 10..0, polarity in 11
3    VECT_BASE_X  base column in 10..0 and polarity in 11 of the following vectors
4    VECT_12      an event in column base + i for each bit i set; then base += 12
5    VECT_8       the same for bits 7..0; then base += 8
6    TIME_LOW     bits 11..0 of the time in us
8    TIME_HIGH    bits 23..12 of the time in us; wraps
A    EXT_TRIGGER  id in 11..8, edge in 0
==== ============ =================================================================

CONTINUED_4 (7), IMU (D), OTHERS (E) and CONTINUED_12 (F) are skipped.
Source: Prophesee, "EVT 3.0 format".
"""

from __future__ import annotations

import numpy as np

from mfs_seg_core.events.decoders.compiled import (
    check_times,
    count_bits,
    kernel,
    lowest_bit,
    next_high,
)
from mfs_seg_core.events.decoders.decoder import (
    BEFORE,
    OUTSIDE,
    TRIGGER_BITS,
    TRIGGERS,
    UNKNOWN,
    Decoder,
)

ADDR_Y, ADDR_X, VECT_BASE_X, VECT_12, VECT_8, TIME_LOW, TIME_HIGH, EXT_TRIGGER = (
    0x0, 0x2, 0x3, 0x4, 0x5, 0x6, 0x8, 0xa)
CONTINUED_4, IMU, OTHERS, CONTINUED_12 = 0x7, 0xd, 0xe, 0xf
# Indices in the state, next to LATEST; HIGH includes the wraps.
HIGH, NOW, SYNC, ROW, BASE, POLARITY = 0, 2, 3, 4, 5, 6
# Values of SYNC: the word without which the time is not known yet.
NEEDS_HIGH, NEEDS_LOW, READY = range(3)
NO_ROW = 0xffff
# Stays negative however many vectors add to it.
NO_BASE = -(1 << 60)


@kernel
def decode(data, width, height, state, counts, triggers):
    """Decode whole EVT3 words."""
    words = data.view(np.uint16)
    # One more: each ADDR_X and ADDR_Y is written as an event, which the next one overwrites unless
    # it is valid. A branch on these two types would be mispredicted too often.
    room = 1
    for i in range(words.size):
        word = np.int64(words[i])
        kind = word >> 12
        room += kind == ADDR_X
        room += count_bits(word & (0xfff if kind == VECT_12 else 0xff if kind == VECT_8 else 0))
    t, p = np.empty(room, np.int64), np.empty(room, np.bool_)
    x, y = np.empty(room, np.uint16), np.empty(room, np.uint16)
    high, now, sync = state[HIGH], state[NOW], state[SYNC]
    row, base, polarity = state[ROW], state[BASE], state[POLARITY]
    # The first column outside; 0 while the time or the row is not known yet.
    end = width if sync == READY and row != NO_ROW else 0
    # Unsigned: for signed indices Numba adds a check for negative ones.
    n = np.uintp(0)
    before = outside = unknown = found = 0
    for i in range(words.size):
        word = np.int64(words[i])
        kind, value = word >> 12, word & 0x7ff
        if kind <= ADDR_X and end:
            row ^= (row ^ value) & -np.int64(kind == ADDR_Y)
            t[n], x[n], y[n], p[n] = now, value, row, word >> 11 & 1
            event = kind == ADDR_X
            inside = event & (value < end) & (row < height)
            n += np.uintp(inside)
            outside += np.int64(event) - np.int64(inside)
            unknown += np.int64(kind == 1)
        elif kind == ADDR_Y:
            row = value
            if sync == READY:
                end = width
        elif kind == ADDR_X:
            before += 1
        elif kind == VECT_12 or kind == VECT_8:
            bits = word & (0xfff if kind == VECT_12 else 0xff)
            if end == 0 or base < 0:
                before += count_bits(bits)
            else:
                left = bits
                if row >= height:
                    left = 0
                elif base + 12 > end:
                    left &= (1 << max(end - base, 0)) - 1
                outside += count_bits(bits ^ left)
                while left:
                    t[n], x[n], y[n], p[n] = now, base + lowest_bit(left), row, polarity
                    n += np.uintp(1)
                    left &= left - 1
            base += 12 if kind == VECT_12 else 8
        elif kind == VECT_BASE_X:
            base, polarity = value, word >> 11 & 1
        elif kind == TIME_LOW or kind == TIME_HIGH:
            value = word & 0xfff
            if kind == TIME_HIGH:
                new = next_high(high, value, 12, sync == NEEDS_HIGH)
                if new != high:
                    high, now = new, new << 12
                if sync == NEEDS_HIGH:
                    sync = NEEDS_LOW
            elif sync != NEEDS_HIGH:
                now, sync = high << 12 | value, READY
                if row != NO_ROW:
                    end = width
        elif kind == EXT_TRIGGER:
            if sync == READY:
                triggers[found] = now << TRIGGER_BITS | (word >> 8 & 0xf) << 1 | word & 1
                found += 1
        elif kind != CONTINUED_4 and kind != IMU and kind != OTHERS and kind != CONTINUED_12:
            unknown += 1
    # Cameras do send falling times without events in between, which is not a fault.
    check_times(t[:n], state, counts)
    state[HIGH], state[NOW], state[SYNC] = high, now, sync
    state[ROW], state[BASE], state[POLARITY] = row, base, polarity
    counts[BEFORE] += before
    counts[OUTSIDE] += outside
    counts[UNKNOWN] += unknown
    counts[TRIGGERS] = found
    return t[:n], x[:n], y[:n], p[:n]


class Evt3Decoder(Decoder):
    """Decoder of EVT3."""

    KERNEL = staticmethod(decode)
    WORD = 2
    START = (-1, 0, 0, NEEDS_HIGH, NO_ROW, NO_BASE, 0)

    def _mark_gap(self, state: np.ndarray) -> None:
        # The count of wraps stays, so that the time does not start from 0 after the gap.
        state[SYNC], state[ROW], state[BASE] = NEEDS_HIGH, NO_ROW, NO_BASE
