# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
EVT2: 32-bit words, little endian, type in bits 31..28; one word per event.

==== =========== ==================================================================
type name        bits 27..0
==== =========== ==================================================================
0    CD_OFF      OFF event: bits 5..0 of the time in us in 27..22; x in 21..11; y in 10..0
1    CD_ON       ON event, same fields
8    TIME_HIGH   bits 33..6 of the time in us; wraps
A    EXT_TRIGGER bits 5..0 of the time in us in 27..22; id in 12..8; edge in 0
==== =========== ==================================================================

IMU (D), OTHER (E) and CONTINUED (F) are skipped.
Source: Prophesee, "EVT 2.0 format".
"""

from __future__ import annotations

import numpy as np

from mfs_seg_core.events.decoders.compiled import check_times, kernel, next_high
from mfs_seg_core.events.decoders.decoder import (
    BEFORE,
    OUTSIDE,
    TRIGGER_BITS,
    TRIGGERS,
    UNKNOWN,
    Decoder,
)

CD_ON, TIME_HIGH, EXT_TRIGGER, IMU = 0x1, 0x8, 0xa, 0xd
# Indices in the state, next to LATEST; HIGH includes the wraps.
HIGH, READY = 0, 2


@kernel
def decode(data, width, height, state, counts, triggers):
    """Decode whole EVT2 words."""
    words = data.view(np.uint32)
    room = 0
    for i in range(words.size):
        room += words[i] >> 28 <= CD_ON
    t, p = np.empty(room, np.int64), np.empty(room, np.bool_)
    x, y = np.empty(room, np.uint16), np.empty(room, np.uint16)
    high, ready = state[HIGH], state[READY]
    n = before = outside = unknown = found = 0
    for i in range(words.size):
        word = np.int64(words[i])
        kind = word >> 28
        now = high << 6 | word >> 22 & 0x3f
        if kind <= CD_ON:
            column, row = word >> 11 & 0x7ff, word & 0x7ff
            if not ready:
                before += 1
            elif column >= width or row >= height:
                outside += 1
            else:
                t[n], x[n], y[n], p[n] = now, column, row, kind == CD_ON
                n += 1
        elif kind == TIME_HIGH:
            high = next_high(high, word & 0xfffffff, 28, not ready)
            ready = 1
        elif kind == EXT_TRIGGER:
            if ready:
                triggers[found] = now << TRIGGER_BITS | (word >> 8 & 0x1f) << 1 | word & 1
                found += 1
        elif kind < IMU:
            unknown += 1
    state[HIGH], state[READY] = high, ready
    check_times(t[:n], state, counts)
    counts[BEFORE] += before
    counts[OUTSIDE] += outside
    counts[UNKNOWN] += unknown
    counts[TRIGGERS] = found
    return t[:n], x[:n], y[:n], p[:n]


class Evt2Decoder(Decoder):
    """Decoder of EVT2."""

    KERNEL = staticmethod(decode)
    WORD = 4
    START = (-1, 0, 0)

    def _mark_gap(self, state: np.ndarray) -> None:
        # The count of wraps stays, so that the time does not start from 0 after the gap.
        state[READY] = 0
