# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decoders of event streams: round trips, streams cut anywhere, and invalid bytes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.event_encoders import ENCODERS, evt3, rows
from support.event_trees import equal, random_events

from mfs_seg_core.events.decoders import ENCODINGS, open_decoder
from mfs_seg_core.events.types import Events, concatenate

SIZE = (1280, 720)
# Compiling takes longer than the default deadline.
tolerant = settings(deadline=None, max_examples=30)
# Time steps within and beyond the ranges of the words.
STEPS = st.sampled_from([0, 0, 0, 1, 5, 63, 64, 4095, 4096, 4_000_000])


@st.composite
def event_lists(draw, longest_us: int = 1 << 24, size: tuple[int, int] = SIZE) -> Events:
    """Draw events in the order of time, some of them neighbours or in one row."""
    count = draw(st.integers(0, 60))
    start = draw(st.integers(0, longest_us - 1))
    steps = draw(st.lists(STEPS, min_size=count, max_size=count))
    t = np.minimum(start + np.cumsum(steps, dtype=np.int64), longest_us - 1)
    few = st.integers(0, 40), st.integers(0, 3)
    all_of = st.integers(0, size[0] - 1), st.integers(0, size[1] - 1)
    near = draw(st.booleans())
    x, y = (draw(st.lists(kind, min_size=count, max_size=count))
            for kind in (few if near else all_of))
    p = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    return Events(t, np.array(x, np.uint16), np.array(y, np.uint16), np.array(p, bool))


def decoded(decoder, chunks: list[bytes]) -> tuple[Events, list, dict]:
    """Decode a stream in chunks to events, triggers and faults."""
    parts, triggers = [], []
    for chunk in chunks:
        parts.append(decoder.decode(chunk))
        triggers += zip(*(field.tolist() for field in decoder.triggers))
    return concatenate(parts), triggers, decoder.faults


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted(min(place, len(data)) for place in places)
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)])]


def inside(events: Events, width: int, height: int) -> bool:
    return not (events.x >= width).any() and not (events.y >= height).any()


@pytest.mark.parametrize('name', ENCODERS)
@tolerant
@given(data=st.data())
def test_round_trip(name, data):
    encoding, encode, longest_us = ENCODERS[name]
    events = data.draw(event_lists(longest_us))
    if encoding.startswith('evt') and events.count:
        # A decoder counts only the wraps after the first event.
        wrap = 1 << (24 if encoding == 'evt3' else 34)
        expected = events._replace(t=events.t - events.t[0] // wrap * wrap)
    else:
        expected = events
    decoder = open_decoder(encoding, *SIZE)
    assert equal(decoder.decode(encode(events)), expected)
    assert not any(decoder.faults.values())
    assert decoder.triggers.t.size == 0


@pytest.mark.parametrize('wrap, encoding', [(1 << 24, 'evt3'), (1 << 34, 'evt2'),
                                            (1 << 34, 'evt21'), (1 << 34, 'evt21_legacy')])
def test_time_wraps(wrap, encoding):
    """Three times, in packets, the last event before and the first after each one."""
    t = np.array([wrap - 1, wrap, 2 * wrap - 1, 2 * wrap, 3 * wrap - 1, 3 * wrap + 7])
    events = Events(t, *np.full((2, 6), 3, np.uint16), np.ones(6, bool))
    data = ENCODERS[encoding][1](events)
    for size in (8, 40, len(data)):
        chunks = [data[i:i + size] for i in range(0, len(data), size)]
        found, _, faults = decoded(open_decoder(encoding, *SIZE), chunks)
        assert equal(found, events) and not any(faults.values())


@pytest.mark.parametrize('name', ENCODERS)
def test_cut_at_every_byte(name):
    encoding, encode, _ = ENCODERS[name]
    data = encode(random_events(12, 20_000, SIZE))
    expected = decoded(open_decoder(encoding, *SIZE), [data])
    assert expected[0].count == 12
    for place in range(len(data) + 1):
        found = decoded(open_decoder(encoding, *SIZE), [data[:place], data[place:]])
        assert equal(found[0], expected[0]) and found[1:] == expected[1:], place
    singly = decoded(open_decoder(encoding, *SIZE), [bytes([byte]) for byte in data])
    assert equal(singly[0], expected[0]) and singly[1:] == expected[1:]


@pytest.mark.parametrize('encoding', ENCODINGS)
@tolerant
@given(data=st.binary(max_size=600), places=st.lists(st.integers(0, 600), max_size=4),
       width=st.integers(1, 2048), height=st.integers(1, 2048))
def test_any_bytes(encoding, data, places, width, height):
    """Events, triggers and faults of any bytes do not depend on the cuts; none is outside."""
    events, *rest = decoded(open_decoder(encoding, width, height), [data])
    assert inside(events, width, height)
    found, *rest_found = decoded(open_decoder(encoding, width, height), cut(data, places))
    assert equal(found, events) and rest_found == rest


def plain_evt3(words: list[int], width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Decode EVT3 word by word, as documented; times do not wrap."""
    high = low = row = base = None
    polarity, events = 0, []
    for word in words:
        kind, value = word >> 12, word & 0xfff
        columns = []
        if kind == 0:
            row = value & 0x7ff
        elif kind == 2:
            columns, p = [value & 0x7ff], value >> 11
        elif kind == 3:
            base, polarity = value & 0x7ff, value >> 11
        elif kind in (4, 5) and base is not None:
            count, p = 12 if kind == 4 else 8, polarity
            columns = [base + i for i in range(count) if value >> i & 1]
            base += count
        elif kind == 6 and high is not None:
            low = value
        elif kind == 8 and high != value:
            high, low = value, None if low is None else 0
        if None not in (high, low, row) and row < height:
            events += [(high << 12 | low, x, row, p) for x in columns if x < width]
    return events


@tolerant
@given(kinds=st.lists(st.integers(0, 15), max_size=300), seed=st.integers(0, 1000),
       width=st.integers(1, 2048), height=st.integers(1, 2048))
def test_evt3_agrees_with_the_reference(kinds, seed, width, height):
    """Words in any order; time does not fall, because other tests cover wraps."""
    values = np.random.default_rng(seed).integers(0, 4096, len(kinds))
    times = iter(np.sort(values).tolist())
    words = [kind << 12 | (next(times) if kind == 8 else value)
             for kind, value in zip(kinds, values.tolist())]
    decoder = open_decoder('evt3', width, height)
    events = decoder.decode(np.array([0x8000, 0x6000, *words], np.uint16))
    assert rows(events) == plain_evt3([0x8000, 0x6000, *words], width, height)
    assert decoder.faults['unknown word'] == sum(kind in (1, 9, 11, 12) for kind in kinds)


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_many_random_bytes(encoding):
    random = np.random.default_rng(0)
    decoder = open_decoder(encoding, 640, 480)
    count = 0
    for _ in range(20):
        events = decoder.decode_packet(random.bytes(random.integers(0, 50_000)), 5000)
        assert inside(events, 640, 480)
        count += events.count
    faults = decoder.faults
    assert count and all(faults[cause] for cause in ('outside the sensor', 'time went back',
                                                     'cut word'))


@tolerant
@given(events=event_lists(), place=st.integers(0, 200), vectors=st.booleans())
def test_start_in_mid_stream(events, place, vectors):
    """From any word on, later events are decoded, and the ones before are counted."""
    data = ENCODERS['evt3, vectors' if vectors else 'evt3'][1](events)[2 * place:]
    decoder = open_decoder('evt3', *SIZE)
    found = decoder.decode(data)
    same = events.where(slice(events.count - found.count, None))
    # The number of wraps before the start is unknown.
    assert equal(found, same._replace(t=found.t)) and not ((found.t - same.t) % (1 << 24)).any()
    # A vector without its base may count more than one event.
    assert decoder.faults['before the start'] <= events.count - found.count
    assert sum(decoder.faults.values()) == decoder.faults['before the start']


@pytest.mark.parametrize('name', ENCODERS)
@tolerant
@given(data=st.data())
def test_gap(name, data):
    """After a gap, all decoded events were sent, with the right times."""
    encoding, encode, longest_us = ENCODERS[name]
    # Without wraps of the time, which a gap may hide.
    events = data.draw(event_lists(min(longest_us, 1 << 24)))
    stream = encode(events)
    word = 8 if encoding not in ('evt3', 'evt2', 'libcaer_cmp') else 4 if encoding == 'evt2' else 2
    first, last = sorted(data.draw(st.integers(0, len(stream) // word)) * word for _ in range(2))
    decoder = open_decoder(encoding, *SIZE)
    before = decoder.decode_packet(stream[:first])
    decoder.report_gap()
    after = decoder.decode_packet(stream[last:])
    sent = set(zip(*(field.tolist() for field in events)))
    assert sent.issuperset(zip(*(field.tolist() for field in before)))
    if encoding != 'libcaer_cmp':
        # The time of libcaer_cmp is in the first words of a message.
        assert sent.issuperset(zip(*(field.tolist() for field in after)))


def test_kinds_of_buffers():
    """All contiguous buffers are decoded, read-only or not, aligned or not."""
    events = random_events(1000, 100_000, SIZE)
    data = evt3(events)
    padded = bytearray(b'x' + data)
    for buffer in (data, bytearray(data), memoryview(data), memoryview(padded)[1:],
                   np.frombuffer(data, np.uint16), np.frombuffer(data, np.uint8)):
        assert equal(open_decoder('evt3', *SIZE).decode(buffer), events)
    # Decoded events are independent of the buffer and of the next call.
    decoder = open_decoder('evt3', *SIZE)
    found = decoder.decode(memoryview(padded)[1:])
    padded[:] = bytes(len(padded))
    decoder.decode(data)
    assert equal(found, events)


def test_no_bytes():
    for encoding in ENCODINGS:
        decoder = open_decoder(encoding, *SIZE)
        assert equal(decoder.decode(b''), Events.empty())
        assert equal(decoder.decode_packet(b'', 7), Events.empty())
        decoder.report_gap()
        assert not any(decoder.faults.values())


def test_concatenate():
    events = random_events(10, 1000, SIZE)
    parts = [events.where(slice(0, 4)), Events.empty(), events.where(slice(4, None))]
    assert equal(concatenate(parts), events)
    assert equal(concatenate([]), Events.empty())
