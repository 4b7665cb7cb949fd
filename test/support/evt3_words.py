# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reference decoder of EVT3, word by word, and events to encode."""

import numpy as np

from mfs_seg_core.events.types import Events

LOOP = 1 << 24
HEIGHT, WIDTH = 720, 1280


def events_at(t, seed: int = 0) -> Events:
    """Return events at these times and random pixels; each row occurs twice in sequence."""
    random = np.random.default_rng(seed)
    t = np.asarray(t, np.int64)
    y = np.repeat(random.integers(0, HEIGHT, len(t), np.uint16), 2)[:len(t)]
    return Events(t, random.integers(0, WIDTH, len(t), np.uint16), y, random.random(len(t)) < 0.5)


def decode(packets: list[bytes]) -> Events:
    """Decode word by word; TIME_HIGH wraps where it falls by more than half its range."""
    found = []
    high = low = y = None
    wraps = 0
    for word in np.concatenate([np.frombuffer(packet, '<u2') for packet in packets]).tolist():
        kind, value = word >> 12, word & 0xFFF
        if kind == 0x8:
            wraps += high is not None and high >= 2048 + value
            high, low = value, None
        elif kind == 0x6:
            low = value
        elif kind == 0x0:
            y = value
        else:
            assert kind == 0x2
            found.append((wraps * LOOP + (high << 12 | low), value & 0x7FF, y, value >> 11))
    t, x, y, p = np.array(found).reshape(-1, 4).T
    return Events(t, x.astype(np.uint16), y.astype(np.uint16), p.astype(bool))
