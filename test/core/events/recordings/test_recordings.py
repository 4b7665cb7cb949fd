# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of each format: round trips, faults and errors."""

import re
import struct
from pathlib import Path

import numpy as np
import pytest
from support.event_encoders import ENCODERS, evt2, evt3
from support.event_trees import equal, random_events, write_events_h5
from support.paths import SHARED_DATA

from mfs_seg_core.events.recordings import open_recording, recording
from mfs_seg_core.events.types import Events, concatenate

DATA = SHARED_DATA
SIZE = 346, 260
# Enough for several chunks in each format.
EVENTS = random_events(3000, 900_000, SIZE)
EVT3_HEADER = b'% Date 2020-09-25 07:48:29\n% evt 3.0\n% plugin_name hal_plugin_gen41_evk3\n'
EVT2_HEADER = b'% evt 2.0\r\n% plugin_name hal_plugin_gen3_fx3\r\n'
NEW_HEADER = b'%% camera_integration_name Prophesee\n%% format %s\n%s%% end\n'
DAT_HEADER = b'% Data file containing CD events.\n% Version 2\n'


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    from mfs_seg_core.events.recordings import dat, hdf5, numpy_file, raw, text

    for module in (recording, dat, hdf5, numpy_file, text):
        monkeypatch.setattr(module, 'CHUNK', 701)
    monkeypatch.setattr(raw, 'BLOCK', 1001)


def write(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b''.join(parts))
    return path


def read(path: Path, **options) -> tuple[Events, recording.Recording]:
    """Read a recording twice, and check that both results are equal."""
    opened = open_recording(path, **options)
    first, faults, triggers = concatenate(list(opened)), opened.faults, opened.triggers
    assert equal(concatenate(list(opened)), first)
    assert opened.faults == faults and opened.triggers.t.size == triggers.t.size
    return first, opened


def dat(events: Events) -> bytes:
    return b'\x0c\x08' + b''.join(
        struct.pack('<II', t % 2**32, p << 28 | y << 14 | x)
        for t, x, y, p in zip(*(field.tolist() for field in events)))


def lines(events: Events, line: str) -> bytes:
    return ''.join(line.format(t=t, s=t / 1e6, x=x, y=y, p=p) + '\n' for t, x, y, p in
                   zip(*(field.astype(int).tolist() for field in events))).encode()


@pytest.mark.parametrize('header, encoding, size', [
    (EVT3_HEADER, 'evt3', (1280, 720)),
    (EVT2_HEADER, 'evt2', (640, 480)),
    (b'% evt 3.0\n', 'evt3', (1280, 720)),
    (b'% evt 2.0\n', 'evt2', (640, 480)),
    (b'% evt 3.0\n% plugin_name hal_plugin_genx320\n% end\n', 'evt3', (320, 320)),
    (NEW_HEADER % (b'EVT3;height=400;width=500', b''), 'evt3', (500, 400)),
    (NEW_HEADER % (b'EVT2', b'% geometry 500x400\n'), 'evt2', (500, 400)),
    (NEW_HEADER % (b'EVT21;height=400;width=500', b''), 'evt21', (500, 400)),
    (NEW_HEADER % (b'EVT21;endianness=legacy', b''), 'evt21_legacy', (1280, 720)),
])
def test_raw(tmp_path, header, encoding, size):
    opened = open_recording(write(tmp_path / 'a.raw', header))
    assert (opened.encoding, opened.size) == (encoding, size)
    assert list(opened) == [] and opened.faults == {}
    encode = next(encode for name, encode, _ in ENCODERS.values() if name == encoding)
    inside = EVENTS.where((EVENTS.x < size[0]) & (EVENTS.y < size[1]))
    events, opened = read(write(tmp_path / 'a.raw', header, encode(inside)))
    assert equal(events, inside) and opened.faults == {} and opened.unit_ns == 1000


@pytest.mark.parametrize('first', [b'%\x80', b'% \x80\n', b'%\x00\n'])
def test_stream_that_begins_like_a_header(tmp_path, first):
    """Binary data end the header; after '% end' the stream may begin with any bytes."""
    # Words before the first time are ignored.
    events, _ = read(write(tmp_path / 'a.raw', b'% evt 3.0\n', first + bytes(len(first) % 2),
                           evt3(EVENTS)))
    assert equal(events, EVENTS)
    events, _ = read(write(tmp_path / 'b.raw', b'% evt 3.0\n% end\n', b'% text\n\0', evt3(EVENTS)))
    assert equal(events, EVENTS)


def test_raw_geometry_overrides_the_argument(tmp_path):
    data = evt3(EVENTS)
    events, opened = read(write(tmp_path / 'a.raw', b'% evt 3.0\n', data), size=(100, 50))
    inside = EVENTS.where((EVENTS.x < 100) & (EVENTS.y < 50))
    assert equal(events, inside) and opened.size == (100, 50)
    assert opened.faults == {'outside the sensor': EVENTS.count - inside.count}
    stated = write(tmp_path / 'b.raw', b'% evt 3.0\n% geometry 346x260\n', data)
    assert read(stated, size=(100, 50))[1].size == SIZE


def test_truncated_raw(tmp_path):
    events, opened = read(write(tmp_path / 'a.raw', EVT2_HEADER, evt2(EVENTS)[:-3]))
    assert equal(events, EVENTS.where(slice(-1))) and opened.faults == {'cut word': 1}


def test_triggers(tmp_path):
    words = [0x8001, 0x6002, 0xa601, 0x6003, 0xa600]
    _, opened = read(write(tmp_path / 'a.raw', EVT3_HEADER, struct.pack('<5H', *words)))
    t, number, edge = opened.triggers
    assert (t.tolist(), number.tolist(), edge.tolist()) == ([4098, 4099], [6, 6], [True, False])


@pytest.mark.parametrize('header, size', [
    (DAT_HEADER, (EVENTS.x.max() + 1, EVENTS.y.max() + 1)),
    (DAT_HEADER + b'% Height 300\n% Width 400\n', (400, 300))])
def test_dat(tmp_path, header, size):
    events, opened = read(write(tmp_path / 'a.dat', header, dat(EVENTS)))
    assert equal(events, EVENTS)
    assert (opened.encoding, opened.size, opened.faults) == ('dat', size, {})
    events, opened = read(write(tmp_path / 'b.dat', header, dat(EVENTS)[:-5]), size=SIZE)
    assert equal(events, EVENTS.where(slice(-1))) and opened.faults == {'cut word': 1}


def test_dat_wraps(tmp_path):
    """Wraps lie within chunks and between them."""
    events = EVENTS._replace(t=np.arange(EVENTS.count) * (2**33 // 701) + 5)
    assert equal(read(write(tmp_path / 'a.dat', DAT_HEADER, dat(events)))[0], events)


def test_dat_wraps_between_chunks(tmp_path):
    events = EVENTS._replace(t=np.arange(EVENTS.count) + 2**32 - 701)
    assert equal(read(write(tmp_path / 'a.dat', DAT_HEADER, dat(events)))[0], events)


def test_time_went_back_between_chunks(tmp_path):
    """A small fall is no wrap."""
    t = np.arange(EVENTS.count) * 10
    t[701:] -= 100
    events, opened = read(write(tmp_path / 'a.dat', DAT_HEADER, dat(EVENTS._replace(t=t))))
    assert np.array_equal(events.t, t) and opened.faults == {'time went back': 1}


@pytest.mark.parametrize('header, line', [
    ('', '{t} {x} {y} {p}'), ('', '{s:.6f} {x} {y} {p}'), ('', '{t},{x},{y},{p}'),
    ('# events\n\n', ' {s:.9f}\t{x}  {y} {p} '), ('400 300\n', '{s:.6f} {x} {y} {p}'),
    ('x,y,p,t\n', '{x},{y},{p},{t}'), ('#\ntimestamp x y polarity\n', '{t} {x} {y} {p}')])
def test_text(tmp_path, header, line):
    path = write(tmp_path / 'a.txt', header.encode(), lines(EVENTS, line))
    events, opened = read(path)
    assert equal(events, EVENTS) and opened.encoding == 'text'
    stated = header.startswith('400')
    assert opened.size == ((400, 300) if stated else (EVENTS.x.max() + 1, EVENTS.y.max() + 1))
    assert read(path, size=(999, 999))[1].size == ((400, 300) if stated else (999, 999))


def test_text_with_time_since_1970(tmp_path):
    """Times are exact to 1 us; polarity may be -1."""
    path = write(tmp_path / 'a.txt', b'1700000000.123456789 1 2 -1\n1700000000.2 3 4 1\n')
    events, opened = read(path)
    assert events.t.tolist() == [1_700_000_000_123_457, 1_700_000_000_200_000]
    assert events.p.tolist() == [False, True] and opened.faults == {}


@pytest.mark.parametrize('bad', ['1 2 3', '1 2 3 4 5', 'nan 1 2 1', '1 x 2 1', '1e30 1 2 1', '?'])
@pytest.mark.parametrize('number', [2, 1999])
def test_invalid_line(tmp_path, bad, number):
    good = lines(EVENTS, '{t} {x} {y} {p}').splitlines()
    good[number - 1] = bad.encode()
    with pytest.raises(ValueError, match=rf'line {number} of .*a.txt is not an event: expected'):
        list(open_recording(write(tmp_path / 'a.txt', b'\n'.join(good)), size=SIZE))


def test_text_with_faults(tmp_path):
    path = write(tmp_path / 'a.txt', b'5 1 1 1\n4 -1 1 1\n4 70000 1 1\n3 1 9 1\n3 1 2 1\n')
    events, opened = read(path, size=(10, 9), columns='t,x,y,p')
    assert equal(events, Events(np.array([5, 3]), np.array([1, 1], np.uint16),
                                np.array([1, 2], np.uint16), np.array([True, True])))
    assert opened.faults == {'outside the sensor': 3, 'time went back': 1}


def test_dsec(tmp_path):
    path = write_events_h5(tmp_path / 'left' / 'events.h5', EVENTS, 5000)
    events, opened = read(path)
    assert equal(events, EVENTS._replace(t=EVENTS.t + 5000))
    assert (opened.encoding, opened.size, opened.faults) == ('dsec', (640, 480), {})


@pytest.mark.parametrize('name, content, message', [
    ('a.raw', b'% evt 4.0\n', "is encoded as 'evt 4.0': give a RAW file of EVT3"),
    ('a.raw', b'% format HISTO3D;width=3;height=2\n% end\n', "is encoded as 'HISTO3D'"),
    ('a.raw', b'% evt 3.0\n% geometry 1280\n', "sensor of '1280' x '' pixels"),
    ('a.raw', b'% format EVT3;width=-5;height=a\n', "sensor of '-5' x 'a' pixels"),
    ('a.raw', b'% Date today\n', 'does not name its encoding'),
    ('a.dat', b'% Version 1\n\0\x08', 'version 1, type and size'),
    ('a.dat', DAT_HEADER + b'\0\x04', r'type and size \[0, 4\]'),
    ('a.dat', DAT_HEADER, r'type and size \[\]'),
    ('a.raw', b'\x01\x80\x02', 'is not a recording of a known format: give one of rosbag'),
    ('a.txt', b'', 'not a recording of a known format'),
    ('a.h5', b'\x89HDF\r\n\x1a\n', 'cannot be read as HDF5'),
    ('a.aedat4', b'#!AER-DAT4.0\r\n', 'cannot be read as AEDAT 4, its header'),
    ('a.mcap', b'\x89MCAP0\r\n', 'cannot be read, it ends after 8 bytes'),
    ('a.db3', b'SQLite format 3\0', 'cannot be read, SQLite cannot read it')])
def test_unreadable_files(tmp_path, name, content, message):
    path = write(tmp_path / name, content)
    with pytest.raises(ValueError, match=message) as error:
        open_recording(path)
    assert str(path) in str(error.value) and '\n' not in str(error.value)


def test_missing(tmp_path):
    with pytest.raises(ValueError, match='b.raw cannot be read: No such file'):
        open_recording(tmp_path / 'b.raw')
    with pytest.raises(ValueError, match='is a folder without a recording'):
        open_recording(tmp_path)


@pytest.mark.skipif(not DATA.is_dir(), reason=f'no recordings in {DATA}')
class TestAedat4:
    path = DATA / 'events/event-vision-library/sample.aedat4'

    def test_events_and_frames(self):
        """The bag derived from the file has the same events, in another encoding."""
        events, opened = read(self.path)
        bag, _ = read(DATA / 'bags/davis346_street_frames_and_events')
        assert equal(events, bag) and events.count == 6676
        assert (opened.encoding, opened.size, opened.faults) == ('aedat4', SIZE, {})
        frames = list(opened.frames())
        assert [t for t, _ in frames] == sorted(t for t, _ in frames) and len(frames) == 4
        assert all(image.shape == (260, 346) and image.dtype == np.uint8 for _, image in frames)

    @pytest.mark.parametrize('seed', range(10))
    def test_damaged(self, tmp_path, seed):
        random = np.random.default_rng(seed)
        data = bytearray(self.path.read_bytes())
        for place in random.integers(14, 3000 if seed % 2 else len(data), 20):
            data[place] = random.integers(256)
        path = write(tmp_path / 'a.aedat4', data[:random.integers(len(data))])
        try:
            opened = open_recording(path)
            list(opened)
        except ValueError as error:
            assert re.search('a.aedat4 (cannot be read as AEDAT 4|has no stream)', str(error))
        else:
            assert opened.faults.keys() & {'cut word', 'damaged packets', 'outside the sensor',
                                           'time went back'}
            assert not opened.notes or re.match('the file ends or is damaged behind packet ',
                                                opened.notes[0])
