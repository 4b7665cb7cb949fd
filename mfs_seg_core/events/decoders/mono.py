# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
``mono``: 8 bytes per event, little endian; deprecated, but present in old bags.

Time since the time base in ns in bits 31..0, column in 47..32, row in 62..48, polarity in 63.
Source: ros-event-camera, event_camera_codecs.
"""

from __future__ import annotations

import numpy as np

from mfs_seg_core.events.decoders.compiled import check_times, kernel
from mfs_seg_core.events.decoders.decoder import OUTSIDE, TIME_BASE, TRIGGERS, MessageDecoder


@kernel
def decode(data, width, height, state, counts, triggers):
    """Decode whole mono events."""
    words = data.view(np.uint32)
    room = words.size // 2
    t, p = np.empty(room, np.int64), np.empty(room, np.bool_)
    x, y = np.empty(room, np.uint16), np.empty(room, np.uint16)
    base = state[TIME_BASE]
    n = outside = 0
    for i in range(0, words.size, 2):
        now, word = np.int64(words[i]), np.int64(words[i + 1])
        column, row = word & 0xffff, word >> 16 & 0x7fff
        if column >= width or row >= height:
            outside += 1
            continue
        t[n], x[n], y[n], p[n] = base + now, column, row, word >> 31
        n += 1
    check_times(t[:n], state, counts)
    counts[OUTSIDE] += outside
    counts[TRIGGERS] = 0
    return t[:n], x[:n], y[:n], p[:n]


class MonoDecoder(MessageDecoder):
    """Decoder of mono."""

    KERNEL = staticmethod(decode)
    WORD = 8
    START = (0, 0)
