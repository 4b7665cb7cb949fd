# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Both layouts of DDD17, on small generated trees and on real events where present."""

import multiprocessing

import numpy as np
import pytest
from support.event_trees import (
    equal,
    random_events,
    write_ess,
    write_ev_segnet,
    write_image,
    write_label,
)
from support.paths import SHARED_DATA
from torch.utils.data import DataLoader

from mfs_seg_core.data.ddd17 import DDD17, SPLITS
from mfs_seg_core.events.tensor import EventWindow, event_tensor
from mfs_seg_core.events.types import Window

REAL = SHARED_DATA / 'ddd17/derived_davis346_ess_layout'
EVENTS = random_events(20_000, 500_000, (346, 260))
STAMPS = [0, 50_000, 100_000, 100_000, 333_333, 500_000]


@pytest.fixture
def ess(tmp_path):
    """All recordings of both splits; masks of images 1, 2, 5 and 6, in pixels of dir0's images."""
    for number, name in enumerate(SPLITS['train'] + SPLITS['test']):
        events = random_events(20_000, 500_000, (346, 260), seed=number)
        write_ess(tmp_path, name, events, STAMPS, [5, 1, 2, 6], images=name == 'dir0')
    return tmp_path


@pytest.fixture
def ev_segnet(tmp_path):
    write_ev_segnet(tmp_path, 'train', 'rec1487339175', [100, 9, 10])
    write_ev_segnet(tmp_path, 'train', 'rec1487842276', [7])
    write_ev_segnet(tmp_path, 'test', 'rec1487417411', [1, 2])
    return tmp_path


def before(stamp_us: int, window: Window):
    """Return the events of a window of EVENTS, by comparing time stamps."""
    expected = EVENTS.where(EVENTS.t < stamp_us)
    expected = expected.where(slice(-window.events, None) if window.events else
                              expected.t >= stamp_us - window.us)
    return expected.where(expected.y < 200)


@pytest.mark.parametrize('window', [Window(us=50_000), Window(us=7), Window(us=10**9),
                                    Window(events=1), Window(events=3000), Window(events=10**9)])
def test_ess_windows(ess, window):
    items = DDD17(ess, 'train', window)
    for index, stamp in enumerate((0, 50_000, 333_333, 500_000)):
        item = items[index]
        assert item.stamp_us == stamp
        assert equal(item.events, before(stamp, window))
    assert items[0].events.count == 0, 'nothing is before the start'
    tensor = event_tensor(EventWindow(items[0].events, -1, 0, (346, 200)), 2, 346, 200)
    assert tensor.shape == (4, 200, 346) and not tensor.any()


def test_ess_items(ess):
    items = DDD17(ess, 'train')
    assert items.window == Window(events=32_000) and len(items.classes) == 6
    assert items.recordings == {name: range(4 * i, 4 * i + 4)
                                for i, name in enumerate(SPLITS['train'])}
    assert len(items) == 20
    item = items[2]
    assert (item.recording, item.order, item.name) == ('dir0', 2, 'dir0/segmentation_00000005')
    assert item.label.shape == (200, 346) and set(np.unique(item.label)) == {5, 255}
    assert item.image.shape == (200, 346, 3) and (item.image == 5).all()
    assert item.tensor is None
    other = items[-1]
    assert (other.recording, other.order, other.image) == ('dir7', 3, None)
    with pytest.raises(IndexError):
        items[20]


def test_ess_splits(ess):
    test = DDD17(ess, 'test')
    assert {*test.recordings} == {'dir1'} and len(test) == 4
    assert [*DDD17(ess, ['dir4', 'dir1']).recordings] == ['dir4', 'dir1']
    with pytest.raises(ValueError, match="unknown split 'valid': expected one of train, test"):
        DDD17(ess, 'valid')


def test_ess_numbers_order_images(tmp_path):
    folder = write_ess(tmp_path, 'dir0', EVENTS, [i * 10_000 for i in range(12)], [2])
    write_label(folder / 'segmentation_masks' / 'segmentation_11.png', (346, 200), 1)
    write_label(folder / 'segmentation_masks' / 'segmentation_9.png', (346, 200), 1)
    for number in (2, 9, 11):
        write_image(folder / 'imgs' / f'{number:010d}.png', np.full((260, 346), number, np.uint8))
    items = DDD17(tmp_path, ['dir0'])
    assert [item.stamp_us for item in items] == [10_000, 80_000, 100_000]
    assert [item.image[0, 0, 0] for item in items] == [2, 9, 11]


def test_ev_segnet_items(ev_segnet):
    items = DDD17(ev_segnet, 'train')
    assert items.recordings == {'rec1487339175': range(0, 3), 'rec1487842276': range(3, 4)}
    assert [item.stamp_us for item in items] == [450_000, 500_000, 5_000_000, 350_000]
    assert [item.order for item in items] == [0, 1, 2, 0]
    item = items[1]
    assert item.events is None and item.name == 'rec1487339175/rec1487339175_export_10'
    assert item.tensor.shape == (200, 346, 6) and item.tensor.dtype == np.float32
    assert (item.tensor == 10).all() and (item.image == 10).all()
    assert set(np.unique(item.label)) == {4, 255}
    assert [*DDD17(ev_segnet, 'test').recordings] == ['rec1487417411']
    chosen = DDD17(ev_segnet, ['rec1487417411', 'rec1487842276'])
    assert sorted(chosen.recordings) == ['rec1487417411', 'rec1487842276'] and len(chosen) == 3


def test_ev_segnet_without_images(tmp_path):
    write_ev_segnet(tmp_path, 'test', 'rec1487417411', [1], images=False)
    assert DDD17(tmp_path, 'test')[0].image is None


def test_ev_segnet_has_its_window(ev_segnet):
    assert len(DDD17(ev_segnet, 'test', Window(us=50_000))) == 2
    with pytest.raises(ValueError, match='tensors of 50 ms but no events'):
        DDD17(ev_segnet, 'test', Window(us=20_000))


# One spawned worker tests pickling and starts in half the time of two.
@pytest.mark.parametrize('context, workers', [('fork', 2), ('spawn', 1)])
def test_workers_read_the_same(ess, context, workers):
    items = DDD17(ess, ['dir0', 'dir1'], Window(events=500))
    alone = list(DataLoader(items, batch_size=None))
    shared = list(DataLoader(items, batch_size=None, num_workers=workers,
                             multiprocessing_context=multiprocessing.get_context(context)))
    assert len(alone) == len(shared) == 8
    for one, other in zip(alone, shared):
        assert one.name == other.name and (one.label == other.label).all()
        assert equal([field.numpy() for field in one.events],
                     [field.numpy() for field in other.events])


def test_not_mapped_when_opened_nor_sent(ess):
    items = DDD17(ess, ['dir0'])
    assert items._events['dir0']._t is None
    items[3]
    assert items._events['dir0']._t is not None
    assert items._events['dir0'].__getstate__()['_t'] is None


@pytest.mark.parametrize('missing', [
    'events.dat.t', 'events.dat.xyp', 'index/index_50ms.npy', 'imgs/img_00000005.png'])
def test_ess_missing_file(ess, missing):
    (ess / 'dir0' / missing).unlink()
    with pytest.raises(ValueError, match=f'dir0/{missing} is missing'):
        DDD17(ess, 'train')


def test_ess_missing_folder(ess):
    (ess / 'dir7').rename(ess / 'dir8')
    with pytest.raises(ValueError, match='dir7/events.dat.t is missing'):
        DDD17(ess, 'train')
    (ess / 'dir1' / 'segmentation_masks').rename(ess / 'elsewhere')
    with pytest.raises(ValueError, match='segmentation_masks is missing'):
        DDD17(ess, 'test')
    (ess / 'dir1' / 'segmentation_masks').mkdir()
    with pytest.raises(ValueError, match='dir1 has no label'):
        DDD17(ess, 'test')


@pytest.mark.parametrize('change, message', [
    (lambda index: index[::-1], 'decreases in row 1'),
    (lambda index: np.where(np.arange(6)[:, None] == 4, index - 60_000_000, index), 'in row 4'),
    (lambda index: index + [0, 20_000, 0], 'names events 20000 to 40000'),
    (lambda index: index - [0, 2, 0], 'names events -2 to'),
    (lambda index: index[:5], r'segmentation_00000006.png belongs to image 6: expected 1\.\.5'),
    (lambda index: index[:, :2], r'expected integers, 3 per row'),
    (lambda index: index.astype(float), r'expected integers, 3 per row')])
def test_ess_bad_index(ess, change, message):
    path = ess / 'dir1' / 'index' / 'index_50ms.npy'
    np.save(path, change(np.load(path)))
    with pytest.raises(ValueError, match=message) as error:
        DDD17(ess, 'test')
    assert 'dir1' in str(error.value)


def test_ess_image_before_first_event(ess):
    path = ess / 'dir1' / 'index' / 'index_50ms.npy'
    index = np.load(path)
    index[0, 1] = -1
    np.save(path, index)
    assert DDD17(ess, 'test')[0].events.count == 0


@pytest.mark.parametrize('name, content, message', [
    ('events.dat.t', b'12345678' * 7, 'expected 8 and 6 for each event'),
    ('events.dat.xyp', b'', 'expected 8 and 6 for each event'),
    ('events.dat.t', b'', 'expected 8 and 6 for each event'),
    ('index/index_50ms.npy', b'no array', 'cannot be read as an array'),
    ('segmentation_masks/none.png', b'', 'none.png has no number')])
def test_ess_broken_file(ess, name, content, message):
    (ess / 'dir1' / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        DDD17(ess, 'test')
    assert str(ess / 'dir1' / name).removesuffix('.xyp') in str(error.value)


@pytest.mark.parametrize('event', [(346, 0, 1), (0, 260, 1), (-1, 0, 0)])
def test_ess_event_outside(ess, event):
    path = ess / 'dir1' / 'events.dat.xyp'
    xyp = np.fromfile(path, '<i2').reshape(-1, 3)
    xyp[-1] = event
    xyp.tofile(path)
    items = DDD17(ess, 'test')
    assert items[0].events.count == 0
    with pytest.raises(ValueError, match=rf'holds an event at \({event[0]}, {event[1]}\)'):
        items[3]


@pytest.mark.parametrize('tree, label', [
    ('ess', 'dir1/segmentation_masks/segmentation_00000001.png'),
    ('ev_segnet', 'test/labels/rec1487417411_export_1.png')])
@pytest.mark.parametrize('content, message', [
    (np.full((200, 346), 6, np.uint8), r'holds class id 6: expected 0\.\.5'),
    (np.zeros((260, 346), np.uint8), '260, 346'), (np.zeros((200, 346), np.uint16), 'uint16'),
    (np.zeros((200, 346, 3), np.uint8), 'one channel')])
def test_bad_label(request, tree, label, content, message):
    root = request.getfixturevalue(tree)
    write_image(root / label, content)
    with pytest.raises(ValueError, match=message) as error:
        DDD17(root, 'test')[0]
    assert label in str(error.value)


def test_bad_image(ess):
    write_image(ess / 'dir0' / 'imgs' / 'img_00000001.png', np.zeros((199, 346), np.uint8))
    (ess / 'dir0' / 'imgs' / 'img_00000002.png').write_bytes(b'no image')
    items = DDD17(ess, 'train')
    with pytest.raises(ValueError, match='img_00000001.png is .199, 346.: expected 346 columns'):
        items[0]
    with pytest.raises(ValueError, match='img_00000002.png cannot be read as an image'):
        items[1]


@pytest.mark.parametrize('missing', ['events/rec1487417411_export_2.npy',
                                  'images/rec1487417411_export_2.png'])
def test_ev_segnet_missing_file(ev_segnet, missing):
    (ev_segnet / 'test' / missing).unlink()
    with pytest.raises(ValueError, match=f'test/{missing} is missing'):
        DDD17(ev_segnet, 'test')


def test_ev_segnet_bad_tensor(ev_segnet):
    path = ev_segnet / 'test' / 'events' / 'rec1487417411_export_1.npy'
    np.save(path, np.zeros((6, 200, 346)))
    with pytest.raises(ValueError, match=r'export_1.npy is float64 \(6, 200, 346\): expected'):
        DDD17(ev_segnet, 'test')[0]
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match='export_1.npy cannot be read as an array'):
        DDD17(ev_segnet, 'test')[0]


def test_ev_segnet_missing_parts(ev_segnet):
    with pytest.raises(ValueError, match='rec0 has no label'):
        DDD17(ev_segnet, ['rec0'])
    for path in (ev_segnet / 'test' / 'labels').iterdir():
        path.unlink()
    with pytest.raises(ValueError, match='test/labels is empty'):
        DDD17(ev_segnet, 'test')


def test_neither_layout(tmp_path):
    with pytest.raises(ValueError, match='is not DDD17: expected folders dir0'):
        DDD17(tmp_path, 'train')


@pytest.mark.skipif(not REAL.is_dir(), reason='no DAVIS346 recording in the layout of ESS '
                                              f'({REAL.name}) is next to this repository')
def test_real_events(tmp_path):
    folder = tmp_path / 'dir0'
    folder.mkdir()
    for name in ('events.dat.t', 'events.dat.xyp', 'index'):
        (folder / name).symlink_to(REAL / 'dir0' / name)
    # The recording has no labels: write some, to test stamps and windows.
    for number in (1, 19):
        write_label(folder / 'segmentation_masks' / f'segmentation_{number:08d}.png', (346, 200), 0)
    t = np.fromfile(REAL / 'dir0' / 'events.dat.t', np.int64)
    xyp = np.fromfile(REAL / 'dir0' / 'events.dat.xyp', np.int16).reshape(-1, 3)
    index = np.load(REAL / 'dir0' / 'index' / 'index_50ms.npy')
    for window, first in ((Window(us=50_000), index[[0, 18], 2]),
                          (Window(events=32_000), np.maximum(index[[0, 18], 1] - 32_000, 0))):
        items = DDD17(tmp_path, ['dir0'], window)
        assert [item.stamp_us for item in items] == [50_000, 950_000]
        for item, begin, end in zip(items, first, index[[0, 18], 1]):
            rows = xyp[begin:end]
            kept = rows[:, 1] < 200
            assert 0 < kept.sum() == item.events.count
            assert (item.events.t == t[begin:end][kept] // 1000).all()
            assert (np.stack(item.events[1:], 1) == rows[kept]).all()
