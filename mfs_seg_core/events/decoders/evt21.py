# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
EVT2.1: 64-bit words, little endian, type in bits 63..60; up to 32 events of a row per word.

==== =========== ==================================================================
type name        bits 59..0
==== =========== ==================================================================
0    EVT_NEG     OFF events: bits 5..0 of the time in us in 59..54; x in 53..43; y in 42..32;
                 an event in column x + i for each bit i set in 31..0
1    EVT_POS     ON events, same fields
8    TIME_HIGH   bits 33..6 of the time in us in 59..32; wraps
A    EXT_TRIGGER bits 5..0 of the time in us in 59..54; id in 44..40; edge in 32
==== =========== ==================================================================

OTHERS (E) and CONTINUED (F) are skipped. Some sensors (IMX636) send the upper half of each word
first; OpenEB calls this order "legacy", which gives ``evt21_legacy`` its name.
Source: Prophesee, "EVT 2.1 format".
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

EVT_POS, TIME_HIGH, EXT_TRIGGER, OTHERS = 0x1, 0x8, 0xa, 0xe
# Indices in the state, next to LATEST; HIGH includes the wraps, UPPER is the index of the upper
# half of a word.
HIGH, READY, UPPER = 0, 2, 3


@kernel
def decode(data, width, height, state, counts, triggers):
    """Decode whole EVT2.1 words."""
    # The upper half of a word has the fields of an EVT2 word.
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
    check_times(t[:n], state, counts)
    counts[BEFORE] += before
    counts[OUTSIDE] += outside
    counts[UNKNOWN] += unknown
    counts[TRIGGERS] = found
    return t[:n], x[:n], y[:n], p[:n]


class Evt21Decoder(Decoder):
    """Decoder of EVT2.1."""

    KERNEL = staticmethod(decode)
    WORD = 8
    START = (-1, 0, 0, 1)

    def _mark_gap(self, state: np.ndarray) -> None:
        # The count of wraps stays, so that the time does not start from 0 after the gap.
        state[READY] = 0


class Evt21LegacyDecoder(Evt21Decoder):
    """Decoder of EVT2.1 with the upper half of each word first."""

    START = (-1, 0, 0, 0)
