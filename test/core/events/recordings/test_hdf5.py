# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""HDF5: layouts, sizes, units, triggers, missing filters, and files that lack their end."""

import re

import h5py
import numpy as np
import pytest
from support.event_files import columns, dsec, e2vid, hdf5, m3ed, metavision, mvsec, structure, v2e
from support.event_trees import equal, random_events

from mfs_seg_core.events.recordings import hdf5_heap, open_recording
from mfs_seg_core.events.types import concatenate

SMALL = random_events(3000, 300_000, (320, 240))
LARGE = random_events(3000, 300_000, (1280, 720))


def read(path, **options):
    recording = open_recording(path, **options)
    return concatenate(list(recording)), recording


@pytest.mark.parametrize('make, events, size, origin', [
    (dsec, SMALL, (640, 480), 'usual sensor of dsec'),
    (dsec, LARGE, (1280, 720), r'smallest usual sensor that holds events up to 12\d\dx7\d\d'),
    (mvsec, SMALL, (346, 260), 'usual sensor of mvsec'),
    (v2e, SMALL, (320, 240), 'bounding box of the events'),
    (e2vid, SMALL, (320, 240), 'bounding box of the events'),
    (metavision, LARGE, (1280, 720), 'bounding box of the events')])
def test_size_from_the_events(tmp_path, make, events, size, origin):
    found, recording = read(hdf5(tmp_path / 'a.h5', make(events)))
    assert equal(found, events) and recording.faults == {}
    assert np.subtract(recording.size, size).max() == 0 and re.fullmatch(
        origin, recording.size_origin)


@pytest.mark.parametrize('attributes, size', [
    ({'geometry': '1280x720'}, (1280, 720)), ({'width': 640, 'height': 480}, (640, 480)),
    ({'sensor_resolution': (480, 640)}, (640, 480)), ({'resolution': [640, 480]}, (640, 480)),
    ({'geometry': np.bytes_('640x480')}, (640, 480)),
    # Not a size.
    ({'geometry': 'wide'}, (320, 240)), ({'resolution': 0.5}, (320, 240))])
def test_size_in_attributes(tmp_path, attributes, size):
    assert read(hdf5(tmp_path / 'a.h5', v2e(SMALL), attributes))[1].size == size


def test_portrait_sensor(tmp_path):
    """The events tell width from height where a pair does not."""
    events = SMALL._replace(x=SMALL.y, y=SMALL.x)
    _, recording = read(hdf5(tmp_path / 'a.h5', e2vid(events), {'sensor_resolution': (320, 240)}))
    assert recording.size == (240, 320)


def test_sides_as_datasets(tmp_path):
    parts = {**dsec(SMALL), 'events/width': np.array(1280), 'events/height': np.array(720)}
    assert read(hdf5(tmp_path / 'a.h5', parts))[1].size == (1280, 720)


def test_several_cameras(tmp_path):
    path = hdf5(tmp_path / 'a.h5', m3ed(SMALL))
    events, recording = read(path)
    assert equal(events, SMALL) and recording.topic == 'prophesee/left'
    assert (recording.size, recording.size_origin) == ((1280, 720), '')
    events, recording = read(path, topic='prophesee/right')
    assert equal(events, SMALL._replace(t=SMALL.t + 1)) and recording.topic == 'prophesee/right'
    with pytest.raises(ValueError, match="no events named 'x': it has prophesee/left, prophesee/r"):
        open_recording(path, topic='x')


@pytest.mark.parametrize('parts', [
    {'a/b/events': structure(SMALL, [('t', '<i8'), ('x', '<i4'), ('y', '<f4'), ('p', '?')])},
    {'data': columns(SMALL, 'xyqt')}, {'events': columns(SMALL, 'ptxy').astype(np.int64)},
    {'raw/timestamp_ns': SMALL.t * 1000, 'raw/x_pos': SMALL.x, 'raw/y_pos': SMALL.y,
     'raw/polarity': SMALL.p, 'raw/frames': np.zeros((3, 4, 5))}])
def test_other_layouts(tmp_path, parts):
    events, recording = read(hdf5(tmp_path / 'a.h5', parts))
    assert equal(events, SMALL) and recording.encoding in ('hdf5', 'v2e')


def test_order_in_doubt(tmp_path):
    path = hdf5(tmp_path / 'a.h5', {'events': columns(SMALL, 'pyxt')})
    with pytest.raises(ValueError, match='a.h5 has events up to 240 x 320, .* swapped'):
        open_recording(path)
    assert equal(read(path, columns='p,y,x,t')[0], SMALL)


def test_other_files_are_not_opened(tmp_path):
    hdf5(tmp_path / 'other.h5', dsec(SMALL))
    path = hdf5(tmp_path / 'a.h5', {'voxels': np.zeros((5, 3, 4))})
    with h5py.File(path, 'a') as file:
        file['events'] = h5py.ExternalLink(str(tmp_path / 'other.h5'), 'events')
    with pytest.raises(ValueError, match='it holds voxels'):
        open_recording(path)


def test_offset_and_unit(tmp_path):
    path = hdf5(tmp_path / 'a.h5', {**dsec(SMALL), 't_offset': np.int64(10**15)})
    assert equal(read(path)[0], SMALL._replace(t=SMALL.t + 10**15))
    assert equal(read(path, unit='ns')[0], SMALL._replace(t=SMALL.t // 1000))


@pytest.mark.parametrize('index', [False, True])
def test_nanoseconds_under_the_names_of_dsec(tmp_path, index):
    """Times of 64 bits may be nanoseconds; the index of DSEC says that they are microseconds."""
    parts = {**dsec(SMALL), 'events/t': SMALL.t * 1000}
    parts |= {'ms_to_idx': np.zeros(3)} if index else {}
    events, _ = read(hdf5(tmp_path / 'a.h5', parts))
    assert equal(events, SMALL._replace(t=SMALL.t * (1000 if index else 1)))


def test_coordinates_that_are_no_numbers(tmp_path):
    x = np.where(np.arange(3000) % 10, SMALL.x, np.nan)
    events, recording = read(hdf5(tmp_path / 'a.h5', {
        'a/t': SMALL.t, 'a/x': x, 'a/y': SMALL.y, 'a/p': SMALL.p}))
    assert recording.faults == {'outside the sensor': 300} and recording.accepted == 2700
    assert equal(events, SMALL.where(np.arange(3000) % 10 > 0))


def test_triggers(tmp_path):
    _, recording = read(hdf5(tmp_path / 'a.h5', metavision(SMALL)))
    t, number, edge = recording.triggers
    assert (t.tolist(), number.tolist(), edge.tolist()) == ([5, 9], [0, 6], [True, False])


@pytest.mark.parametrize('number, message', [
    (0x8ecf, "is compressed by Prophesee's ECF: install its plugin .*hdf5_ecf. and set "
             'HDF5_PLUGIN_PATH'),
    (40_000, 'is compressed by filter 40000')])
def test_missing_filter(tmp_path, number, message):
    path = hdf5(tmp_path / 'a.h5', metavision(SMALL))
    with h5py.File(path, 'a') as file:
        kind = file['CD/events'].id.get_type()
        del file['CD/events']
        options = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        options.set_chunk((1000,))
        options.set_filter(number, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((3000,))
        dataset = h5py.h5d.create(file['CD'].id, b'events', kind, space, options)
        dataset.write_direct_chunk((0,), b'compressed')
    with pytest.raises(ValueError, match=f'a.h5 {message}') as error:
        list(open_recording(path))
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('parts, message', [
    ({}, 'holds no t, x, y and p of events under names that are known: it holds nothing'),
    ({'voxels': np.zeros((5, 3, 4))}, 'it holds voxels'),
    ({**dsec(SMALL), 'events/p': np.zeros(5, np.uint8)}, r'has \[5, 3000\] of t, x, y and p'),
    ({'events': np.zeros((50, 4))}, 'give their order, for example --columns')])
def test_refused(tmp_path, parts, message):
    with pytest.raises(ValueError, match=message):
        open_recording(hdf5(tmp_path / 'a.h5', parts))


@pytest.mark.parametrize('options', [{}, {'chunks': (100,)},
                                     {'chunks': (100,), 'compression': 'gzip'}])
@pytest.mark.parametrize('share', [0.97, 0.8, 0.5])
def test_cut_file(tmp_path, options, share):
    """The events before the cut are read, and no others."""
    table = {'CD/events': metavision(SMALL)['CD/events']}
    path = hdf5(tmp_path / 'a.h5', table, **options)
    data = path.read_bytes()
    path.write_bytes(data[:int(share * len(data))])
    events, recording = read(path)
    assert equal(events, SMALL.where(slice(events.count)))
    assert 0.6 * share < events.count / SMALL.count < min(1.1 * share, 1)
    lacking = len(data) - int(share * len(data))
    assert recording.notes == [f'the file lacks its last {lacking:,} bytes, and the events in '
                               'them: copy or record it again']


def test_cut_before_the_events(tmp_path):
    path = hdf5(tmp_path / 'a.h5', dsec(SMALL))
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(ValueError, match='a.h5 lacks its last .* bytes, without which no event'):
        open_recording(path)


def test_damaged_heap(tmp_path):
    """HDF5 would not return from reading the size; the events are read nevertheless."""
    path = hdf5(tmp_path / 'a.h5', metavision(SMALL), {'geometry': '640x480'})
    assert hdf5_heap.heaps_are_sound(path) and read(path)[1].size == (640, 480)
    data = bytearray(path.read_bytes())
    heap = data.find(b'GCOL')
    # The space behind the only object gets a size of 0.
    data[heap + 48:heap + 56] = bytes(8)
    path.write_bytes(data)
    assert not hdf5_heap.heaps_are_sound(path)
    events, recording = read(path)
    assert equal(events, SMALL) and recording.size_origin == 'bounding box of the events'
