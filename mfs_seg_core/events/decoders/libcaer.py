# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
``libcaer``: 8 bytes per event, little endian, as iniVation's cameras send them.

First 4 bytes: valid in bit 0, polarity in 1, row in 16..2, column in 31..17. Last 4 bytes: time
since the time base in us, 31 bits, which may wrap within a message.
Source: ros-event-camera, event_camera_codecs.
"""

from __future__ import annotations

import numpy as np

from mfs_seg_core.events.decoders.compiled import check_times, kernel
from mfs_seg_core.events.decoders.decoder import (
    INVALID,
    OUTSIDE,
    TIME_BASE,
    TRIGGERS,
    MessageDecoder,
)

WRAP = 1 << 31
# Indices in the state, after those of all MessageDecoders.
WRAPPED, LAST = 2, 3


@kernel
def decode(data, width, height, state, counts, triggers):
    """Decode whole libcaer events."""
    words = data.view(np.uint32)
    room = words.size // 2
    t, p = np.empty(room, np.int64), np.empty(room, np.bool_)
    x, y = np.empty(room, np.uint16), np.empty(room, np.uint16)
    base, wrapped, last = state[TIME_BASE], state[WRAPPED], state[LAST]
    n = outside = invalid = 0
    for i in range(0, words.size, 2):
        word, now = np.int64(words[i]), np.int64(words[i + 1] & 0x7fffffff)
        if not word & 1:
            invalid += 1
            continue
        column, row = word >> 17, word >> 2 & 0x7fff
        if column >= width or row >= height:
            outside += 1
            continue
        if last - now > WRAP // 2:
            wrapped += WRAP
        last = now
        t[n], x[n], y[n], p[n] = base + 1000 * (wrapped + now), column, row, word & 2
        n += 1
    state[WRAPPED], state[LAST] = wrapped, last
    check_times(t[:n], state, counts)
    counts[OUTSIDE] += outside
    counts[INVALID] += invalid
    counts[TRIGGERS] = 0
    return t[:n], x[:n], y[:n], p[:n]


class LibcaerDecoder(MessageDecoder):
    """Decoder of libcaer."""

    KERNEL = staticmethod(decode)
    WORD = 8
    START = (0, 0, 0, 0)
