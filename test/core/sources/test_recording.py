# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of event cameras as sources: events alone, frames alone, and both in order."""

from pathlib import Path

import numpy as np
import pytest
from support.evt3_words import decode, events_at
from support.paths import NO_RECORDINGS, SHARED_DATA

from mfs_seg_core.events.types import Events
from mfs_seg_core.sources.items import EventBatch, Frame, SourceError, due_s
from mfs_seg_core.sources.open_source import open_source
from mfs_seg_core.sources.recording import in_order, merged

DATA = SHARED_DATA / 'events'


def write_text(path: Path, events: Events) -> Path:
    """Write events as text, t x y p."""
    np.savetxt(path, np.stack([events.t, events.x, events.y, events.p], 1), fmt='%d')
    return path


def joined(items) -> Events:
    """Return the events of all batches; each must be decodable alone, times below 16 s."""
    return Events(*map(np.concatenate, zip(*(decode([item.data]) for item in items))))


def same(one: Events, other: Events) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other))


def test_text_becomes_batches(tmp_path):
    events = events_at(np.sort(np.random.default_rng(0).integers(0, 200_000, 3000)))
    items = list(open_source(write_text(tmp_path / 'events.txt', events), sensors='events',
                             batch_us=10_000))
    assert len(items) == 20
    assert same(joined(items), events)
    assert {(item.width, item.height) for item in items} == {
        (int(events.x.max()) + 1, int(events.y.max()) + 1)}


def test_events_out_of_order_are_sorted_and_a_clock_that_was_set_back_is_kept():
    times = [100, 130, 120, 140, 50_000, 49_000, 51_000, 5, 10, 8]
    events = events_at(times)
    parts = in_order(events)
    assert [part.t.tolist() for part in parts] == [
        [100, 120, 130, 140, 49_000, 50_000, 51_000], [5, 8, 10]]
    assert parts[0].x.tolist() == events.x[[0, 2, 1, 3, 5, 4, 6]].tolist()
    assert in_order(parts[0]) == [parts[0]]


def test_a_recording_with_a_clock_set_back_goes_on(tmp_path):
    times = np.concatenate([np.arange(5_000_000, 5_100_000, 1000), np.arange(0, 100_000, 1000)])
    path = write_text(tmp_path / 'events.csv', events_at(times))
    found = open_source(path, sensors='events', columns='t,x,y,p', unit='us')
    assert joined(found).t.tolist() == times.tolist()


def test_frames_come_after_earlier_events():
    packets = [EventBatch(b'', 'evt3', 4, 4, time_s, 0.005) for time_s in (1.0, 1.005, 1.020)]
    frames = [Frame(None, None, time_s) for time_s in (0.9, 1.002, 1.0101, 1.5)]
    items = list(merged(iter(packets), iter(frames)))
    assert [item.time_s for item in items] == [0.9, 1.0, 1.002, 1.005, 1.0101, 1.020, 1.5]
    assert [due_s(item) for item in items] == pytest.approx(
        [0.9, 1.005, 1.005, 1.010, 1.0101, 1.025, 1.5])


@pytest.mark.parametrize('sensors', ['camera', 'fusion'])
def test_a_recording_without_frames_is_one_sentence(tmp_path, sensors):
    path = write_text(tmp_path / 'events.txt', events_at([1, 2]))
    with pytest.raises(SourceError, match="holds no frames: choose the sensors 'events'"):
        list(open_source(path, sensors=sensors))


def test_what_is_no_recording_is_one_sentence(tmp_path):
    path = tmp_path / 'events.raw'
    path.write_bytes(bytes(range(256)))
    with pytest.raises(SourceError, match='not a recording of a known format') as error:
        list(open_source(path, sensors='events'))
    assert '\n' not in str(error.value)


@pytest.mark.skipif(not DATA.is_dir(), reason=NO_RECORDINGS)
@pytest.mark.parametrize('name, count', [
    ('expelliarmus/evt3_sample.raw', 219_596),
    ('expelliarmus/evt2_sample.raw', 539_481),
    ('tonic/sample_ncars.dat', 2009),
    ('event-vision-library/sample.aedat4', 6676),
])
def test_real_recordings(name, count):
    from mfs_seg_core.events.decoders import open_decoder
    from mfs_seg_core.events.recordings import open_recording

    recorded = Events(*map(np.concatenate, zip(*open_recording(DATA / name))))
    items = list(open_source(DATA / name, sensors='events'))
    assert min(np.diff([due_s(item) for item in items])) > -1e-6
    decoder = open_decoder('evt3', items[0].width, items[0].height)
    t, x, y, p = map(np.concatenate, zip(*(decoder.decode(item.data) for item in items)))
    assert len(t) == count
    assert same(recorded._replace(t=recorded.t - recorded.t[0]), (t - t[0], x, y, p))


@pytest.mark.skipif(not DATA.is_dir(), reason=NO_RECORDINGS)
def test_a_real_recording_with_frames():
    path = DATA / 'event-vision-library' / 'sample.aedat4'
    items = list(open_source(path, sensors='fusion'))
    frames = [item for item in items if isinstance(item, Frame)]
    assert [frame.image.shape for frame in frames] == [(260, 346, 3)] * 4
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.04, abs=1e-3)
    assert min(np.diff([due_s(item) for item in items])) > -1e-6
    seen_s = 0.0
    for item in items:
        if isinstance(item, Frame):
            assert seen_s <= item.time_s
        else:
            seen_s = item.time_s
    assert all(np.array_equal(one.image, other.image)
               for one, other in zip(frames, open_source(path)))


def test_options_of_recordings_are_passed_on(tmp_path):
    path = tmp_path / 'events.txt'
    path.write_text(''.join(f'{t % 2} {t % 30} {t % 40} {1_000_000 * t}\n' for t in range(500)))
    source = open_source(path, sensors='events', columns='p,y,x,t', unit='ns', sensor_size=(64, 48))
    items = list(source)
    assert {(item.width, item.height) for item in items} == {(64, 48)}
    found = joined(items)
    assert found.t.tolist() == list(range(0, 500_000, 1000))
    assert found.x.tolist() == [t % 40 for t in range(500)]
    assert source.report.rejection() == ''
    small = open_source(path, sensors='events', columns='p,y,x,t', unit='ns', sensor_size=(64, 15))
    assert joined(small).count == 255
    assert 'outside the sensor (245 of 500)' in small.report.rejection()


def test_wrong_options_are_one_sentence(tmp_path):
    path = write_text(tmp_path / 'events.txt', events_at(range(100)))
    with pytest.raises(SourceError, match='do not name t, x, y and p once each'):
        list(open_source(path, sensors='events', columns='a,b'))
