# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""NumPy files: structured arrays, columns, rows, archives, and files that lack their end."""

import numpy as np
import pytest
from support.event_files import columns, structure
from support.event_trees import equal, random_events

from mfs_seg_core.events.recordings import open_recording
from mfs_seg_core.events.types import concatenate

EVENTS = random_events(3000, 300_000, (320, 240))
STRUCTURE = structure(EVENTS, [('x', '<u2'), ('y', '<u2'), ('p', '?'), ('t', '<i8')])


def read(path, **options):
    recording = open_recording(path, **options)
    return concatenate(list(recording)), recording


@pytest.mark.parametrize('array', [
    STRUCTURE, np.rec.array(STRUCTURE), columns(EVENTS, 'txyp'), columns(EVENTS, 'xytp').T,
    columns(EVENTS, 'xysq'), np.asfortranarray(columns(EVENTS, 'xypt').astype(np.int64)),
    columns(EVENTS, 'txyp').astype('>i4'), np.c_[np.arange(3000), columns(EVENTS, 'txyp')]])
def test_arrays(tmp_path, array):
    np.save(tmp_path / 'a.npy', array)
    events, recording = read(tmp_path / 'a.npy')
    assert equal(events, EVENTS) and recording.size == (320, 240) and recording.faults == {}


@pytest.mark.parametrize('arrays', [
    dict(EVENTS._asdict()), {'xs': EVENTS.x, 'ys': EVENTS.y, 'ts': EVENTS.t / 1e6, 'ps': EVENTS.p},
    {'timestamp_ns': EVENTS.t * 1000, 'x': EVENTS.x, 'y': EVENTS.y, 'polarity': EVENTS.p,
     'frames': np.zeros((3, 4, 5))},
    {**EVENTS._asdict(), 'notes': np.array([{}], object)},
    {'events': STRUCTURE, 'labels': np.zeros(5)}, {'arr_0': columns(EVENTS, 'txyp')}])
@pytest.mark.parametrize('save', [np.savez, np.savez_compressed])
def test_archives(tmp_path, arrays, save):
    save(tmp_path / 'a.npz', **arrays)
    assert equal(read(tmp_path / 'a.npz')[0], EVENTS)


def test_arguments(tmp_path):
    np.save(tmp_path / 'a.npy', columns(EVENTS, 'pyxt'))
    with pytest.raises(ValueError, match='a.npy has events up to 240 x 320, '):
        open_recording(tmp_path / 'a.npy')
    events, _ = read(tmp_path / 'a.npy', columns='p,y,x,t', unit='ms')
    assert equal(events, EVENTS._replace(t=EVENTS.t * 1000))


@pytest.mark.parametrize('array, message', [
    (np.zeros((3, 4, 5)), r'an array of float64 and shape \(3, 4, 5\): expected events as fields'),
    (np.array([{}], object), 'holds pickled objects, which can run code'),
    (np.zeros(5, [('a', 'i4'), ('t', 'i4')]), 'has fields a, t: expected t, x, y and p'),
    (np.zeros(5), r'shape \(5,\)'), (np.array('text'), r'shape \(\)'),
    (columns(EVENTS, 'txyp') * (1e16, 1, 1, 1), 'is out of range: check the unit'),
    (columns(EVENTS._replace(t=np.where(EVENTS.t > 9, np.nan, 1)), 'xypt'), 'columns')])
def test_refused(tmp_path, array, message):
    np.save(tmp_path / 'a.npy', array, allow_pickle=True)
    with pytest.raises(ValueError, match=f'a.npy.*{message}'):
        list(open_recording(tmp_path / 'a.npy'))


@pytest.mark.parametrize('arrays, message', [
    ({'a': np.zeros(5), 'b': np.zeros(5)}, 'holds a, b: expected arrays t, x, y and p'),
    ({**EVENTS._asdict(), 'p': EVENTS.p[:5]}, r'has \[5, 3000\] of t, x, y and p'),
    ({**EVENTS._asdict(), 'p': np.array(['a'] * 3000)}, 'no lists of numbers')])
def test_archives_that_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / 'a.npz', **arrays)
    with pytest.raises(ValueError, match=message):
        open_recording(tmp_path / 'a.npz')


def test_cut_file(tmp_path):
    np.save(tmp_path / 'a.npy', STRUCTURE)
    data = (tmp_path / 'a.npy').read_bytes()
    (tmp_path / 'a.npy').write_bytes(data[:len(data) // 2])
    events, recording = read(tmp_path / 'a.npy')
    assert equal(events, EVENTS.where(slice(events.count))) and 1400 < events.count < 1600
    assert recording.faults == {'cut word': 1}
    assert recording.notes[0].startswith(f'the file lacks its last {3000 - events.count:,} events')
    np.savez(tmp_path / 'a.npz', STRUCTURE)
    (tmp_path / 'a.npz').write_bytes((tmp_path / 'a.npz').read_bytes()[:9000])
    with pytest.raises(ValueError, match='a.npz cannot be read as NumPy'):
        open_recording(tmp_path / 'a.npz')
