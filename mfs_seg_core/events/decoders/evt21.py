# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
EVT2.1: words of 64 bits, little endian, type in bits 63..60; a word is up to 32 events of a row.

==== =========== ==================================================================
type name        bits 59..0
==== =========== ==================================================================
0    EVT_NEG     they became darker: time in us, bits 5..0, in 59..54; x in 53..43; y in 42..32;
                 events in columns x + i for bits i of 31..0
1    EVT_POS     they became brighter, likewise
8    TIME_HIGH   time in us, bits 33..6, in 59..32; wraps
A    EXT_TRIGGER time, bits 5..0, in 59..54; id in 44..40; edge in 32
==== =========== ==================================================================

OTHERS (E) and CONTINUED (F) carry nothing that is used here. Some sensors (IMX636) send the upper
half of each word first: OpenEB calls this legacy, and so do we.
Source: Prophesee, "EVT 2.1 format".
"""

from __future__ import annotations

import numpy as np

from mfs_seg_core.events.decoders.compiled import (
    count_bits,
    count_falls,
    kernel,
    lowest_bit,
    next_high,
)
from mfs_seg_core.events.decoders.decoder import (
    BACK,
    BEFORE,
    OUTSIDE,
    TRIGGER_BITS,
    TRIGGERS,
    UNKNOWN,
    Decoder,
)

EVT_POS, TIME_HIGH, EXT_TRIGGER, OTHERS = 0x1, 0x8, 0xa, 0xe
# Places in the state; HIGH counts wraps too, UPPER says which half of a word is the upper one.
HIGH, LATEST, READY, UPPER = range(4)


@kernel
def decode(data, width, height, state, counts, triggers):
    # The upper half of a word is laid out as a word of EVT2.
    halves = data.view(np.uint32)
    upper = state[UPPER]
    lower = 1 - upper
    room = 0
    for i in range(0, halves.size, 2):
        if halves[i + upper] >> 28 <= EVT_POS:
            room += count_bits(np.int64(halves[i + lower]))
    t, p = np.empty(room, np.int64), np.empty(room, np.bool_)
    x, y = np.empty(room, np.uint16), np.empty(room, np.uint16)
    high, ready = state[HIGH], state[READY]
    n = before = outside = unknown = found = 0
    for i in range(0, halves.size, 2):
        bits, word = np.int64(halves[i + lower]), np.int64(halves[i + upper])
        kind = word >> 28
        now = high << 6 | word >> 22 & 0x3f
        if kind <= EVT_POS:
            base, row = word >> 11 & 0x7ff, word & 0x7ff
            if not ready:
                before += count_bits(bits)
                continue
            inside = bits
            if row >= height:
                inside = 0
            elif base + 32 > width:
                inside &= (1 << max(width - base, 0)) - 1
            outside += count_bits(bits ^ inside)
            while inside:
                t[n], x[n], y[n], p[n] = now, base + lowest_bit(inside), row, kind == EVT_POS
                n += 1
                inside &= inside - 1
        elif kind == TIME_HIGH:
            high = next_high(high, word & 0xfffffff, 28, not ready)
            ready = 1
        elif kind == EXT_TRIGGER:
            if ready:
                triggers[found] = now << TRIGGER_BITS | (word >> 8 & 0x1f) << 1 | word & 1
                found += 1
        elif kind < OTHERS:
            unknown += 1
    state[HIGH], state[READY] = high, ready
    counts[BACK] += count_falls(t[:n], state[LATEST])
    if n:
        state[LATEST] = t[n - 1]
    counts[BEFORE] += before
    counts[OUTSIDE] += outside
    counts[UNKNOWN] += unknown
    counts[TRIGGERS] = found
    return t[:n], x[:n], y[:n], p[:n]


class Evt21Decoder(Decoder):
    KERNEL = staticmethod(decode)
    WORD = 8
    START = (-1, 0, 0, 1)

    def _forget(self, state: np.ndarray) -> None:
        # What was counted of the time stays, so that it does not begin anew after the gap.
        state[READY] = 0


class Evt21LegacyDecoder(Evt21Decoder):
    START = (-1, 0, 0, 0)
