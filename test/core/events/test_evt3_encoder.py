# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""EVT3 packets, decoded by a plain loop, by the package evt3 and by our decoder."""

import numpy as np
import pytest
from support.event_trees import equal
from support.evt3_words import HEIGHT, LOOP, WIDTH, decode, events_at

from mfs_seg_core.events.evt3_encoder import encode_evt3
from mfs_seg_core.events.types import Events, concatenate


def split(events: Events, length: int) -> list[Events]:
    """Split into parts of ``length`` events."""
    return [events.where(slice(start, start + length)) for start in range(0, events.count, length)]


TIMES = {
    'one event': [5],
    'one row, one time': [7, 7, 7],
    'within 4096 us': np.arange(0, 4000, 7),
    'a packet of 0.3 s': np.arange(0, 300_000, 97),
    'the same low half': np.arange(5) * 4096 + 77,
    'over the wrap': LOOP - 50 + np.arange(100),
    'pauses': np.cumsum([0, 3, 5000, 1_000_000, 8_388_608, 8_500_000, 16_000_000, 16_777_215,
                         16_777_216, 16_777_217, 40_000_000, 5]),
    'random': np.sort(np.random.default_rng(1).integers(0, 5 * LOOP, 5000)),
}


@pytest.mark.parametrize('length', [1, 7, 10_000])
@pytest.mark.parametrize('times', TIMES.values(), ids=TIMES)
def test_round_trip(times, length):
    events = events_at(times)
    parts = split(events, length)
    packets = [encode_evt3(part) for part in parts]
    for part, packet in zip(parts, packets):
        # A single packet has its time modulo 2^24 us.
        assert equal(decode([packet]), part._replace(t=part.t - part.t[0] + part.t[0] % LOOP))
    # Across packets, only steps of less than half the range are unambiguous.
    if max(np.diff(events.t), default=0) < LOOP // 2:
        assert equal(decode(packets), events)


def test_time_is_modulo_2_to_the_24():
    events = events_at([0, 1, 5000])
    for turns in (1, 3, 1 << 30, -1):
        assert encode_evt3(events._replace(t=events.t + turns * LOOP)) == encode_evt3(events)


def test_time_and_row_are_sent_when_they_change():
    events = Events(np.array([4, 4, 4, 9]), np.array([1, 2, 3, 4], np.uint16),
                    np.array([6, 6, 7, 7], np.uint16), np.array([True, False, True, True]))
    words = np.frombuffer(encode_evt3(events), '<u2').tolist()
    assert [hex(word) for word in words] == [
        '0x8000', '0x6004', '0x6', '0x2801', '0x2002', '0x7', '0x2803', '0x6009', '0x2804']


def test_corners_of_the_largest_sensor():
    corners = Events(np.arange(4), np.array([0, 2047, 0, 2047], np.uint16),
                     np.array([0, 0, 2047, 2047], np.uint16), np.ones(4, bool))
    assert equal(decode([encode_evt3(corners)]), corners)


def test_no_events():
    assert encode_evt3(events_at([])) == b''


@pytest.mark.parametrize('change, sentence', [
    ({'x': np.array([0, 2048], np.uint16)}, r'pixel \(2048, .*scale them first'),
    ({'y': np.array([0, 65535], np.uint16)}, r', 65535\): .*scale them first'),
    ({'t': np.array([1, 0])}, 'time goes back .*sort them by time first'),
])
def test_events_that_evt3_cannot_encode(change, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        encode_evt3(events_at([0, 1])._replace(**change))
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('times', TIMES.values(), ids=TIMES)
def test_package_evt3_agrees(times):
    evt3 = pytest.importorskip('evt3', reason='evt3 is not installed: pip install evt3')
    events = events_at(times)
    decoder = evt3.Decoder(WIDTH, HEIGHT)
    parts = [decoder.feed(encode_evt3(part)) for part in split(events, 1000)]
    t, x, y, p = (np.concatenate([getattr(part, name) for part in parts])
                  for name in ('t', 'x', 'y', 'p'))
    assert equal(events._replace(t=events.t - events.t[0]), Events(
        t.astype(np.int64) - int(t[0]), x.astype(np.uint16), y.astype(np.uint16), p.astype(bool)))


@pytest.mark.parametrize('times', TIMES.values(), ids=TIMES)
def test_our_decoder_agrees(times):
    pytest.importorskip('numba', reason='numba is not installed: pip install "mfs_seg_ros[events]"')
    from mfs_seg_core.events import decoders

    events = events_at(times)
    decoder = decoders.open_decoder('evt3', WIDTH, HEIGHT)
    found = concatenate([decoder.decode(encode_evt3(part)) for part in split(events, 1000)])
    assert equal(found._replace(t=found.t - found.t[0]),
                 events._replace(t=events.t - events.t[0]))
    assert not sum(decoder.faults.values())
