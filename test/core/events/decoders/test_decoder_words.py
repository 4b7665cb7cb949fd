# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decoders word by word: the effect of each word, faults, and errors of ``open_decoder``."""

import struct
import sys

import numba
import numpy as np
import pytest
from support.event_encoders import ENCODERS, evt2, evt3, libcaer, mono, rows
from support.event_trees import equal, random_events

from mfs_seg_core.events.decoders import compiled, open_decoder
from mfs_seg_core.events.decoders.decoder import FAULTS
from mfs_seg_core.events.types import Events

SIZE = (640, 480)


def faults(decoder) -> dict[str, int]:
    return {cause: count for cause, count in decoder.faults.items() if count}


def decode(encoding: str, words: list[int], code: str) -> tuple[list, dict, list]:
    """Decode words to events, faults and triggers."""
    decoder = open_decoder(encoding, *SIZE)
    events = decoder.decode(struct.pack(f'<{len(words)}{code}', *words))
    return rows(events), faults(decoder), rows(decoder.triggers)


def test_evt3():
    assert decode('evt3', [
        0x8001, 0x6002, 0x0007,              # 0x1002 us, row 7
        0x2805, 0x2005,                      # column 5: brighter, darker
        0x3800 | 600, 0x4801, 0x5003,        # 600 and 611; 612 and 613
        0xa301, 0xa300,                      # edges of input 3
        0xe014, 0xf123, 0x7001, 0xd000,      # skipped words
        0x5800,                              # VECT_8 with bits 11..8 set
        0x4400,                              # 628 + 10
        0x8002, 0x2801,                      # 0x2000 us, until the next TIME_LOW
    ], 'H') == (
        [(0x1002, 5, 7, 1), (0x1002, 5, 7, 0), (0x1002, 600, 7, 1), (0x1002, 611, 7, 1),
         (0x1002, 612, 7, 1), (0x1002, 613, 7, 1), (0x1002, 638, 7, 1), (0x2000, 1, 7, 1)],
        {}, [(0x1002, 3, 1), (0x1002, 3, 0)])


def test_evt3_before_the_start():
    assert decode('evt3', [
        0x2001,                              # no time, no row
        0x0001, 0x6001, 0x2001,              # no TIME_HIGH: TIME_LOW is ignored
        0x8001, 0x2001, 0xa001,              # no TIME_LOW
        0x6005, 0x4007,                      # no base: 3 events
        0x2002, 0x3003, 0x4001,
    ], 'H') == ([(0x1005, 2, 1, 0), (0x1005, 3, 1, 0)], {'before the start': 6}, [])
    # The row comes last; then a row outside.
    assert decode('evt3', [0x8000, 0x6000, 0x2001, 0x3001, 0x4001, 480, 0x2001, 479, 0x2001],
                  'H') == ([(0, 1, 479, 0)], {'before the start': 2, 'outside the sensor': 1}, [])


def test_evt3_outside():
    assert decode('evt3', [
        0x8000, 0x6000, 0x0000,
        0x2000 | 639, 0x2000 | 640, 0x27ff,             # one of three
        0x3000 | 632, 0x4fff, 0x4fff, 0x50ff,           # 8 of 32
        0x07ff, 0x2000, 0x3000, 0x400f,                 # none of 5
    ], 'H') == ([(0, x, 0, 0) for x in (639, *range(632, 640))], {'outside the sensor': 31}, [])


@pytest.mark.parametrize('encoding, code, known, unknown', [
    ('evt3', 'H', [0x0, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8, 0xa, 0xd, 0xe, 0xf],
     [0x1, 0x9, 0xb, 0xc]),
    ('evt2', 'I', [0x0, 0x1, 0x8, 0xa, 0xd, 0xe, 0xf], [*range(2, 8), 0x9, 0xb, 0xc]),
    ('evt21', 'Q', [0x0, 0x1, 0x8, 0xa, 0xe, 0xf], [*range(2, 8), 0x9, 0xb, 0xc, 0xd]),
    ('evt21_legacy', 'I', [0x0, 0x1, 0x8, 0xa, 0xe, 0xf], [*range(2, 8), 0x9, 0xb, 0xc, 0xd]),
    ('libcaer_cmp', 'H', list(range(6)), list(range(6, 16))),
])
def test_unknown_words(encoding, code, known, unknown):
    shift = 8 * struct.calcsize(code) - 4
    start = {'evt3': [0x8, 0x6, 0x0], 'libcaer_cmp': []}.get(encoding, [0x8])
    for kind in known + unknown:
        words = [word << shift for word in (*start, kind)]
        if encoding == 'evt21_legacy':
            words = [half for word in words for half in (word, 0)]
        _, found, _ = decode(encoding, words, code)
        assert found.get('unknown word', 0) == (kind in unknown), kind


@pytest.mark.parametrize('first, then, expected, back', [
    (100, 50, 50 << 12, 1),             # a small fall: time went back
    (100, 101, 101 << 12, 0),
    (3000, 953, 953 << 12, 1),          # a fall by 2047
    (3000, 952, (4096 + 952) << 12, 0),  # half of the range: a wrap
])
def test_evt3_time_falls(first, then, expected, back):
    events, found, _ = decode('evt3', [0x8000 | first, 0x6000, 0, 0x2000,
                                       0x8000 | then, 0x6000, 0x2000], 'H')
    assert [event[0] for event in events] == [first << 12, expected]
    assert found.get('time went back', 0) == back


def test_evt3_time_falls_without_events():
    """Sensors do send such times, which are not a fault."""
    events, found, _ = decode('evt3', [0x8000, 0x6001, 0, 0x2000, 0x6030, 0x6020, 0x2000], 'H')
    assert [event[0] for event in events] == [1, 0x20] and not found
    _, found, _ = decode('evt3', [0x8000, 0x6030, 0, 0x2000, 0x6020, 0x2000, 0x2000], 'H')
    assert found == {'time went back': 1}


def test_time_goes_back_between_calls():
    for encoding, encode in (('evt3', evt3), ('evt2', evt2), ('mono', mono), ('libcaer', libcaer)):
        decoder = open_decoder(encoding, *SIZE)
        for t in (5000, 5000, 4000, 6000):
            decoder.decode_packet(encode(Events(np.array([t]), *np.zeros((2, 1), np.uint16),
                                                np.zeros(1, bool))))
        assert faults(decoder) == {'time went back': 1}, encoding


def test_evt3_after_a_gap():
    """Any fall of the time is a wrap; rows and vectors before the gap are not used."""
    decoder = open_decoder('evt3', *SIZE)
    decoder.decode(struct.pack('<6H', 0x8000 | 3000, 0x6000, 5, 0x2001, 0x3001, 0x4001))
    decoder.report_gap()
    events = decoder.decode(struct.pack(
        '<8H', 0x6001, 0x2001, 0x8000 | 2999, 0x6000, 0x2001, 6, 0x4001, 0x2002))
    assert rows(events) == [((4096 + 2999) << 12, 2, 6, 0)]
    assert faults(decoder) == {'before the start': 3}


def test_evt2():
    assert decode('evt2', [
        0x00000000,                                       # before the first TIME_HIGH
        0x80000002, 0x10000000 | 63 << 22 | 639 << 11 | 479, 1 << 11 | 2,
        0xa0000000 | 5 << 22 | 31 << 8 | 1, 0xa0000000 | 6 << 22,
        0xe0000000, 0xf0000000, 0xd0000000,
        640 << 11, 480,
    ], 'I') == ([(128 + 63, 639, 479, 1), (128, 1, 2, 0)],
                {'before the start': 1, 'outside the sensor': 2, 'time went back': 1},
                [(128 + 5, 31, 1), (128 + 6, 0, 0)])


@pytest.mark.parametrize('encoding', ['evt21', 'evt21_legacy'])
def test_evt21(encoding):
    words = [
        (0x80000002, 0),
        (0x10000000 | 3 << 22 | 630 << 11 | 479, 0x80000201),   # 630, 639, and one outside
        (0x10000000 | 3 << 22 | 480, 0xff),
        (7 << 11 | 1, 0), (7 << 11 | 1, 0x80000001),
        (0xa0000000 | 5 << 22 | 31 << 8 | 1, 0),
    ]
    halves = [half for word in words
              for half in (word if encoding == 'evt21_legacy' else word[::-1])]
    assert decode(encoding, halves, 'I') == (
        [(131, 630, 479, 1), (131, 639, 479, 1), (128, 7, 1, 0), (128, 38, 1, 0)],
        {'outside the sensor': 9, 'time went back': 1}, [(133, 31, 1)])


def test_libcaer():
    """Time counts from the time base and may wrap within a message; events may be invalid."""
    decoder = open_decoder('libcaer', *SIZE)
    last = (1 << 31) - 1
    data = struct.pack('<10I', 639 << 17 | 479 << 2 | 3, last, 1 << 17 | 5, 0,
                       1 << 17 | 4, 1, 640 << 17 | 1, 1, 480 << 2 | 1, 1)
    base_us = 1_700_000_000_000_000
    events = decoder.decode_packet(data, base_us * 1000 + 18)
    assert rows(events) == [(base_us + last, 639, 479, 1), (base_us + last + 1, 1, 1, 0)]
    # The stamps have nanoseconds.
    assert (decoder.stamps == events.t * 1000 + 18).all() and decoder.UNIT_NS == 1
    assert faults(decoder) == {'marked invalid': 1, 'outside the sensor': 2}
    # The next time base includes the wrap.
    wrap_ns = (1 << 31) * 1000
    events = decoder.decode_packet(struct.pack('<2I', 1, 5), base_us * 1000 + 18 + wrap_ns)
    assert rows(events) == [(base_us + last + 6, 0, 0, 0)]


def test_libcaer_cmp():
    """Each message starts at its time base, without a column."""
    decoder = open_decoder('libcaer_cmp', *SIZE)
    message = struct.pack(
        '<10H', 0x3001, 0x2005, 0x3801, 0x0001, 0x1002, 0x4000 | 475, 0x5081, 0x5001,
        0x5003, 0x2000 | 640)
    for base in (7_000_999, 19_000_000):
        events = decoder.decode_packet(message, base)
        assert rows(events) == [(base // 1000, 5, 1, 1), (base // 1000 + 0x1002, 5, 475, 0)]
        found = faults(decoder)
    assert found == {'before the start': 2, 'outside the sensor': 8}


def test_mono():
    decoder = open_decoder('mono', *SIZE)
    data = struct.pack('<4Q', 1 << 63 | 479 << 48 | 639 << 32 | 1999, 1 << 32,
                       640 << 32, 480 << 48)
    assert rows(decoder.decode_packet(data, 2_000_001)) == [(2002, 639, 479, 1), (2000, 1, 0, 0)]
    assert decoder.stamps.tolist() == [2_002_000, 2_000_001]
    assert faults(decoder) == {'time went back': 1, 'outside the sensor': 2}


@pytest.mark.parametrize('encoding', ['libcaer', 'libcaer_cmp', 'mono'])
def test_time_base_out_of_range(encoding):
    decoder = open_decoder(encoding, *SIZE)
    for base in (-1, 1 << 63, (1 << 64) - 1):
        for _ in range(2):
            with pytest.raises(ValueError, match='time base'):
                decoder.decode_packet(bytes(8), base)
    assert open_decoder('evt3', *SIZE).decode_packet(bytes(8), (1 << 64) - 1).count == 0


def test_truncated_packet():
    """An incomplete word does not shift the words of the next packet."""
    events = random_events(300, 10_000, SIZE)
    for name, (encoding, encode, _) in ENCODERS.items():
        data = encode(events)
        decoder = open_decoder(encoding, *SIZE)
        decoder.decode_packet(data[:-1])
        assert equal(decoder.decode_packet(data, 1), events), name
        assert decoder.faults['cut word'] == 1


def test_unknown_encoding():
    with pytest.raises(ValueError, match="'evt4'.*known are evt3, evt2, evt21, .*mono"):
        open_decoder('evt4', *SIZE)


@pytest.mark.parametrize('size', [(0, 480), (640, 0), (-1, 1), (65536, 1)])
def test_sizes_out_of_range(size):
    with pytest.raises(ValueError, match='give a width and a height'):
        open_decoder('evt3', *size)


def test_names_of_faults():
    assert tuple(open_decoder('evt3', *SIZE).faults) == FAULTS


def test_without_numba(monkeypatch):
    for name in [name for name in sys.modules if name.startswith('mfs_seg_core.events.decoders.')]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'numba', None)
    with pytest.raises(ValueError, match='needs numba, of the extra'):
        open_decoder('evt3', *SIZE)


def test_without_a_cache(monkeypatch):
    """Without a writable folder for the cache, kernels are compiled too."""
    njit = numba.njit

    def without(*arguments, cache=False, **options):
        if cache:
            raise RuntimeError('cannot cache: no locator available')
        return njit(*arguments, **options)

    def function(data, width, height, state, counts, triggers):
        nothing = np.empty(0, np.uint16)
        return np.full(1, width), nothing, nothing, np.empty(0, np.bool_)

    monkeypatch.setattr(numba, 'njit', without)
    numbers = np.zeros(1, np.int64)
    assert compiled.kernel(function)(np.frombuffer(b'', np.uint8), 5, 6, *(numbers,) * 3)[0] == 5
