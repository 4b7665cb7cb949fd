# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DSEC-Semantic, on small generated trees and on real events where present."""

import copy
import multiprocessing
import sys

import numpy as np
import pytest
from support.event_trees import (
    equal,
    random_events,
    write_dsec,
    write_image,
    write_label,
    write_rectify_map,
)
from support.paths import SHARED_DATA
from torch.utils.data import DataLoader

from mfs_seg_core.data.dsec import DSEC, SPLITS
from mfs_seg_core.events.types import Events, Window
from mfs_seg_core.util.extras import missing

h5py = pytest.importorskip('h5py', reason=f"DSEC needs {missing('h5py')}")
pytest.importorskip('hdf5plugin', reason=f"DSEC needs {missing('hdf5plugin')}")
REAL = SHARED_DATA / 'dsec/derived_gen3_640x480'
OFFSET = 50_007_139_845
EVENTS = random_events(20_000, 400_500, (640, 480))
# Relative to the offset: before the first event, within, and after the last one.
STAMPS = [-1000, 0, 1, 999, 1000, 50_000, 123_456, 399_999, 400_000, 400_499, 400_500, 500_000]
NAME = 'zurich_city_13_a'


@pytest.fixture
def recording(tmp_path):
    return write_dsec(tmp_path / 'test' / NAME, EVENTS, [OFFSET + stamp for stamp in STAMPS],
                      OFFSET)


def before(stamp_us: int, window: Window) -> Events:
    """Return the events of a window of EVENTS, by comparing time stamps."""
    expected = EVENTS.where(EVENTS.t < stamp_us)
    expected = expected.where(slice(-window.events, None) if window.events else
                              expected.t >= stamp_us - window.us)
    return expected._replace(t=expected.t + OFFSET)


WINDOWS = [Window(us=50_000), Window(us=7), Window(us=10**9), Window(events=1),
           Window(events=3000), Window(events=10**9)]


@pytest.mark.parametrize('window', WINDOWS)
def test_items(tmp_path, recording, window):
    items = DSEC(tmp_path, [NAME], window, protocol=False)
    assert len(items) == len(STAMPS) and items.recordings == {NAME: range(12)}
    for index, stamp in enumerate(STAMPS):
        item = items[index]
        expected = before(stamp, window)
        assert equal(item.events, expected.where(expected.y < 440))
        assert (item.recording, item.order, item.name) == (NAME, index, f'{NAME}/{index:06d}')
        assert item.stamp_us == OFFSET + stamp and item.tensor is None and item.image is None
        assert item.label.shape == (440, 640) and set(np.unique(item.label)) == {index % 11, 255}


def test_protocol_takes_every_second_label_from_the_seventh(tmp_path, recording):
    items = DSEC(tmp_path, [NAME])
    assert items.window == Window(events=100_000) and len(items.classes) == 11
    assert [item.name[-6:] for item in items] == ['000006', '000008', '000010']
    assert [item.order for item in items] == [0, 1, 2]


def test_splits(tmp_path):
    for split, names in SPLITS.items():
        for name in names:
            write_dsec(tmp_path / split / name, EVENTS.where(slice(10)), [*range(7)])
    train, test = DSEC(tmp_path, 'train'), DSEC(tmp_path, 'test')
    assert [*train.recordings] == [f'zurich_city_0{i}_a' for i in (0, 1, 2, 4, 5, 6, 7, 8)]
    assert [*test.recordings] == ['zurich_city_13_a', 'zurich_city_14_c', 'zurich_city_15_a']
    assert (len(train), len(test)) == (8, 3)
    with pytest.raises(ValueError, match="unknown split 'val': expected one of train, test"):
        DSEC(tmp_path, 'val')
    (tmp_path / 'train' / 'zurich_city_04_a').rename(tmp_path / 'missing')
    with pytest.raises(ValueError, match='zurich_city_04_a is missing in'):
        DSEC(tmp_path, 'train')


@pytest.mark.parametrize('place', ['semantic', 'semantic/left', ''])
@pytest.mark.parametrize('labels', ['11classes/data', '11classes'])
@pytest.mark.parametrize('stamps', [f'{{}}/{NAME}_semantic_timestamps.txt', '{}/timestamps.txt',
                                    'semantic/timestamps.txt'])
def test_places_of_labels(tmp_path, place, labels, stamps):
    (tmp_path / NAME / 'semantic').mkdir(parents=True)
    write_dsec(tmp_path / NAME, EVENTS, [200_000], labels=f'{place or "."}/{labels}',
               stamps=stamps.format(place or '.'))
    item, = DSEC(tmp_path, [NAME], protocol=False)
    assert item.stamp_us == 200_000 and item.label[0, 0] == 0


def test_images(tmp_path):
    write_dsec(tmp_path / NAME, EVENTS, [*range(3)], images=True)
    items = DSEC(tmp_path, [NAME], protocol=False)
    assert items[2].image.shape == (440, 640, 3) and (items[2].image == (2, 100, 200)).all()
    (tmp_path / NAME / 'images' / 'left' / 'ev_inf' / '000001.png').unlink()
    with pytest.raises(ValueError, match='ev_inf has 2 images for the 3 labels'):
        DSEC(tmp_path, [NAME])


def test_rectification(tmp_path, recording):
    """A rectification that moves all pixels by (+10.4, -20.6) pixels, and one unmapped pixel."""
    y, x = np.mgrid[:480, :640]
    moved = np.stack([x + 10.4, y - 20.6], -1)
    moved[100, 7] = np.nan
    write_rectify_map(recording / 'events' / 'left' / 'rectify_map.h5', moved)
    got = DSEC(tmp_path, [NAME], Window(events=5000), protocol=False)[8].events
    expected = before(STAMPS[8], Window(events=5000))
    x, y = expected.x.astype(int) + 10, expected.y.astype(int) - 21
    unmapped = (expected.x == 7) & (expected.y == 100)
    inside = (x < 640) & (y >= 0) & (y < 440) & ~unmapped
    assert 0 < inside.sum() < 5000
    assert equal(got, Events(expected.t[inside], x[inside].astype(np.uint16),
                             y[inside].astype(np.uint16), expected.p[inside]))
    plain = DSEC(tmp_path, [NAME], Window(events=5000), rectify=False, protocol=False)[8].events
    assert equal(plain, expected.where(expected.y < 440))


@pytest.mark.parametrize('x, expected', [
    (-0.51, None), (-0.5, 0), (0.49, 0), (0.5, 1), (1.5, 2), (639.49, 639), (639.5, None)])
def test_rectified_at_borders(tmp_path, recording, x, expected):
    rectify_map = np.full((480, 640, 2), 5.0)
    rectify_map[..., 0] = x
    write_rectify_map(recording / 'events' / 'left' / 'rectify_map.h5', rectify_map)
    events = DSEC(tmp_path, [NAME], Window(events=3), protocol=False)[8].events
    assert events.x.tolist() == ([] if expected is None else [expected] * 3)


# One spawned worker tests pickling and starts in half the time of two.
@pytest.mark.parametrize('context, workers', [('fork', 2), ('spawn', 1)])
def test_workers_read_the_same(tmp_path, recording, context, workers):
    items = DSEC(tmp_path, [NAME], Window(us=50_000), protocol=False)
    # Read in this process first, so that a fork starts with an open file.
    alone = list(DataLoader(items, batch_size=None))
    shared = list(DataLoader(items, batch_size=None, num_workers=workers,
                             multiprocessing_context=multiprocessing.get_context(context)))
    assert len(alone) == len(shared) == 12
    for one, other in zip(alone, shared):
        assert one.name == other.name and (one.label == other.label).all()
        assert equal([field.numpy() for field in one.events],
                     [field.numpy() for field in other.events])
    assert equal(items[7].events, [field.numpy() for field in alone[7].events]), 'still open here'


def test_nothing_stays_open_when_opened_or_sent(tmp_path, recording):
    items = DSEC(tmp_path, [NAME], protocol=False)
    assert items._events[NAME]._file is None and items._maps[NAME]._map is None
    expected = items[7].events
    # Copied as it is sent to a loader's worker: without its open files.
    sent = copy.deepcopy(items)
    assert sent._events[NAME]._file is None and sent._maps[NAME]._map is None
    assert equal(sent[7].events, expected)


@pytest.mark.parametrize('missing', [
    'events/left/events.h5', 'events/left/rectify_map.h5', 'semantic/timestamps.txt'])
def test_missing_file(tmp_path, recording, missing):
    (recording / missing).unlink()
    with pytest.raises(ValueError, match=f'{NAME}/{missing} is missing'):
        DSEC(tmp_path, [NAME])


def test_no_map_is_needed_to_leave_events_as_they_are(tmp_path, recording):
    (recording / 'events' / 'left' / 'rectify_map.h5').unlink()
    assert len(DSEC(tmp_path, [NAME], rectify=False)) == 3


def test_missing_labels(tmp_path, recording):
    (recording / 'semantic' / '11classes' / 'data' / '000003.png').unlink()
    with pytest.raises(ValueError, match='timestamps.txt has 12 stamps for the 11 labels'):
        DSEC(tmp_path, [NAME])
    (recording / 'semantic' / '11classes').rename(recording / 'elsewhere')
    with pytest.raises(ValueError, match='semantic/11classes/data is missing'):
        DSEC(tmp_path, [NAME])


def test_too_few_labels_for_the_protocol(tmp_path):
    write_dsec(tmp_path / NAME, EVENTS, [*range(6)])
    with pytest.raises(ValueError, match=f'{NAME} has no label'):
        DSEC(tmp_path, [NAME])


@pytest.mark.parametrize('text, message', [
    ('3\n2\n', 'timestamps.txt decreases'),
    ('1.5\n', "timestamps.txt: .*'1.5': expected one stamp"),
    ('', 'has 0 stamps for the 12 labels')])
def test_bad_stamps(tmp_path, recording, text, message):
    (recording / 'semantic' / 'timestamps.txt').write_text(text)
    with pytest.raises(ValueError, match=message):
        DSEC(tmp_path, [NAME])


def test_event_outside(tmp_path, recording):
    with h5py.File(recording / 'events' / 'left' / 'events.h5', 'a') as file:
        file['events/x'][-1] = 640
    items = DSEC(tmp_path, [NAME], protocol=False)
    assert items[5].events.count
    with pytest.raises(ValueError, match=r'events.h5 holds events at \(640, .*of 640x480'):
        items[11]


def test_wrong_map(tmp_path, recording):
    write_rectify_map(recording / 'events' / 'left' / 'rectify_map.h5', np.zeros((640, 480, 2)))
    with pytest.raises(ValueError, match=r'rectify_map.h5: rectify_map is \(640, 480, 2\)'):
        DSEC(tmp_path, [NAME])


@pytest.mark.parametrize('label, message', [
    (np.full((440, 640), 11, np.uint8), r'holds class id 11: expected 0\.\.10'),
    (np.zeros((480, 640), np.uint8), '480, 640'), (np.zeros((440, 640, 3), np.uint8), 'channel')])
def test_bad_label(tmp_path, recording, label, message):
    write_image(recording / 'semantic' / '11classes' / 'data' / '000006.png', label)
    with pytest.raises(ValueError, match=message) as error:
        DSEC(tmp_path, [NAME])[0]
    assert '11classes/data/000006.png' in str(error.value)


@pytest.mark.parametrize('module', ['h5py', 'hdf5plugin'])
def test_not_installed(tmp_path, recording, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=rf"need {module}, of the extra 'data': pip"):
        DSEC(tmp_path, [NAME])


@pytest.mark.skipif(not REAL.is_dir(), reason='no recording in the layout of DSEC '
                                              f'({REAL.name}) is next to this repository')
def test_real_events(tmp_path):
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / 'events').symlink_to(REAL / 'events')
    with h5py.File(REAL / 'events' / 'left' / 'events.h5') as file:
        t, x, y, p = (file[f'events/{name}'][()].astype(np.int64) for name in 'txyp')
        offset = int(file['t_offset'][()])
    # The recording has no labels: write some, to test stamps and windows.
    stamps = [0, 1_000_000, 1_500_123, 3_000_000]
    for index in range(len(stamps)):
        write_label(folder / 'semantic' / '11classes' / 'data' / f'{index:06d}.png', (640, 440), 0)
    (folder / 'semantic' / 'timestamps.txt').write_text(
        '\n'.join(str(offset + stamp) for stamp in stamps))
    for window in (Window(us=50_000), Window(events=100_000)):
        items = DSEC(tmp_path, [NAME], window, protocol=False)
        for item, stamp in zip(items, stamps):
            chosen = np.flatnonzero((t < stamp) & (t >= stamp - (window.us or stamp)))
            chosen = chosen[-(window.events or len(t)):]
            chosen = chosen[y[chosen] < 440]
            expected = Events(t[chosen] + offset, x[chosen].astype(np.uint16),
                              y[chosen].astype(np.uint16), p[chosen] > 0)
            assert equal(item.events, expected)
            assert bool(len(chosen)) == (stamp in stamps[1:3] or bool(window.events and stamp))
