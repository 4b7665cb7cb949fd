# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reference encoders of all event encodings, for the tests of the decoders."""

import struct

from mfs_seg_core.events.types import Events

# Largest steps of the upper part of the time; cameras repeat it, so that decoders count its wraps.
EVT3_HIGH_STEP, EVT2_HIGH_STEP = 1000, 1 << 26


def rows(events: Events) -> list[tuple[int, int, int, int]]:
    return [tuple(map(int, row)) for row in zip(*events)]


def highs(before: int | None, new: int, step: int) -> range | list[int]:
    """Return the upper parts of the time that a camera sends between two of them."""
    return [new] if before is None else [*range(before, new, step)][1:] + [new] * (new != before)


def evt3_words(events: Events, vectors: bool = False) -> list[int]:
    words, high, low, row, vector, base = [], None, None, None, None, 0
    for t, x, y, p in rows(events):
        for value in highs(high, t >> 12, EVT3_HIGH_STEP):
            words.append(0x8000 | value & 0xfff)
            low = None
        high = t >> 12
        if low != t & 0xfff:
            low = t & 0xfff
            words.append(0x6000 | low)
        if row != y:
            row = y
            words.append(y)
        if not vectors:
            words.append(0x2000 | p << 11 | x)
            continue
        if vector == (t, y, p) and base < x < base + 12 and words[-1] & 0xfff < 1 << x - base:
            words[-1] |= 1 << x - base
        else:
            # The bit of the first event varies.
            base = max(x - len(words) % 3, 0)
            words += [0x3000 | p << 11 | base, 0x4000 | 1 << x - base]
        vector = (t, y, p)
    return words


def evt3(events: Events) -> bytes:
    words = evt3_words(events)
    return struct.pack(f'<{len(words)}H', *words)


def evt3_vectors(events: Events) -> bytes:
    words = evt3_words(events, vectors=True)
    return struct.pack(f'<{len(words)}H', *words)


def evt2(events: Events) -> bytes:
    words, high = [], None
    for t, x, y, p in rows(events):
        words += [0x80000000 | value & 0xfffffff for value in highs(high, t >> 6, EVT2_HIGH_STEP)]
        high = t >> 6
        words.append(p << 28 | (t & 0x3f) << 22 | x << 11 | y)
    return struct.pack(f'<{len(words)}I', *words)


def evt21(events: Events) -> bytes:
    words, high, previous = [], None, None
    for t, x, y, p in rows(events):
        words += [(0x80000000 | value & 0xfffffff) << 32
                  for value in highs(high, t >> 6, EVT2_HIGH_STEP)]
        high = t >> 6
        base = x - x % 32
        key = (p << 28 | (t & 0x3f) << 22 | base << 11 | y) << 32
        if previous == (t, key) and words[-1] & 0xffffffff < 1 << x - base:
            words[-1] |= 1 << x - base
        else:
            words.append(key | 1 << x - base)
        previous = (t, key)
    return struct.pack(f'<{len(words)}Q', *words)


def evt21_legacy(events: Events) -> bytes:
    whole = evt21(events)
    return b''.join(whole[i + 4:i + 8] + whole[i:i + 4] for i in range(0, len(whole), 8))


def libcaer(events: Events) -> bytes:
    return b''.join(struct.pack('<II', x << 17 | y << 2 | p << 1 | 1, t & 0x7fffffff)
                    for t, x, y, p in rows(events))


def libcaer_cmp(events: Events) -> bytes:
    words, high, low, column, base, previous = [], 0, 0, None, None, None
    for t, x, y, p in rows(events):
        assert t < 1 << 24
        if high != t >> 12:
            high = t >> 12
            words.append(high)
        if low != t & 0xfff:
            low = t & 0xfff
            words.append(0x1000 | low)
        if column != x:
            column, base = x, None
            words.append(0x2000 | x)
        if base is not None and previous == (t, p) and base <= y < base + 8 and (
                words[-1] >> 12 == 5 and words[-1] & 0xff < 1 << y - base):
            words[-1] |= 1 << y - base
        elif len(words) % 2:
            base = None
            words.append(0x3000 | p << 11 | y)
        else:
            base = max(y - len(words) % 5, 0)
            words += [0x4000 | p << 11 | base, 0x5000 | 1 << y - base]
        previous = (t, p)
    return struct.pack(f'<{len(words)}H', *words)


def mono(events: Events) -> bytes:
    return b''.join(struct.pack('<Q', p << 63 | y << 48 | x << 32 | 1000 * t)
                    for t, x, y, p in rows(events))


# Encoding, its encoder, and the end of the range of times that its streams can contain, in us.
ENCODERS = {
    'evt3': ('evt3', evt3, 1 << 26),
    'evt3, vectors': ('evt3', evt3_vectors, 1 << 26),
    'evt2': ('evt2', evt2, 1 << 36),
    'evt21': ('evt21', evt21, 1 << 36),
    'evt21_legacy': ('evt21_legacy', evt21_legacy, 1 << 36),
    'libcaer': ('libcaer', libcaer, 1 << 31),
    'libcaer_cmp': ('libcaer_cmp', libcaer_cmp, 1 << 24),
    'mono': ('mono', mono, 1 << 22),
}
