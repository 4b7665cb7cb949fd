# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Event files of DSEC: windows of events, and damaged files."""

import os

import numpy as np
import pytest
from support.event_trees import equal, random_events, write_events_h5
from torch.utils.data import DataLoader

from mfs_seg_core.events.dsec_hdf5 import EventFile
from mfs_seg_core.events.types import Events, Window

h5py = pytest.importorskip('h5py', reason='h5py is not installed: pip install "mfs_seg_ros[data]"')
pytest.importorskip('hdf5plugin', reason='hdf5plugin is not installed: '
                                         'pip install "mfs_seg_ros[data]"')
OFFSET = 50_007_139_845
EVENTS = random_events(20_000, 400_500, (640, 480))
# Since the offset: before the first event, between events, and after the last one.
STAMPS = [-1000, 0, 1, 999, 1000, 50_000, 123_456, 399_999, 400_000, 400_499, 400_500, 500_000]
WINDOWS = [Window(us=50_000), Window(us=7), Window(us=10**9), Window(events=1),
           Window(events=3000), Window(events=10**9)]


@pytest.fixture
def path(tmp_path):
    return write_events_h5(tmp_path / 'left' / 'events.h5', EVENTS, OFFSET)


def before(stamp_us: int, window: Window) -> Events:
    """Select the window of EVENTS before a stamp."""
    past = EVENTS.where(EVENTS.t < stamp_us)
    past = past.where(slice(-window.events, None) if window.events else
                      past.t >= stamp_us - window.us)
    return past._replace(t=past.t + OFFSET)


@pytest.mark.parametrize('window', WINDOWS)
def test_event_file(path, window):
    file = EventFile(path)
    assert (file.count, file.offset_us) == (20_000, OFFSET)
    for stamp in STAMPS:
        assert equal(file.read(OFFSET + stamp, window), before(stamp, window)), stamp


def test_event_file_at_borders(tmp_path):
    """Events at one time, milliseconds without events, and stamps between both."""
    t = np.array([0, 500, 2100, 5000, 5000, 7100, 7200, 7200, 8100, 9000])
    events = Events(t, *(np.arange(10).astype(np.uint16),) * 2, np.arange(10) % 2 > 0)
    file = EventFile(write_events_h5(tmp_path / 'left' / 'events.h5', events, None))
    for end in range(0, 9100, 50):
        for us in (50, 1000, 4000):
            assert equal(file.read(end, Window(us=us)),
                         events.where((t < end) & (t >= end - us))), (end, us)


def test_empty_recording(tmp_path):
    nothing = EVENTS.where(slice(0))
    file = EventFile(write_events_h5(tmp_path / 'left' / 'events.h5', nothing, 5))
    for window in WINDOWS:
        assert equal(file.read(1000, window), nothing)


class ProcessIds:
    """Data set of the ids of the processes that read and that opened an event file."""

    def __init__(self, file: EventFile):
        self.file = file

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> tuple[int, int]:
        self.file.read(OFFSET + 1000, Window(us=500))
        return os.getpid(), self.file._process


def test_each_process_opens_the_file(path):
    readers = ProcessIds(EventFile(path))
    assert readers[0] == (os.getpid(), os.getpid())
    pairs = list(DataLoader(readers, batch_size=None, num_workers=2,
                            multiprocessing_context='fork'))
    assert len({process for process, _ in pairs} - {os.getpid()}) == 2
    assert all(process == opener for process, opener in pairs)


@pytest.mark.parametrize('change, message', [
    (lambda index: index[::-1], 'ms_to_idx decreases'),
    (lambda index: index + 5000, 'ms_to_idx goes from 5000 to .*: expected indices of 20000'),
    (lambda index: index[:, None], 'is not a list')])
def test_invalid_index(path, change, message):
    with h5py.File(path, 'a') as file:
        index = change(file['ms_to_idx'][()])
        del file['ms_to_idx']
        file['ms_to_idx'] = index
    with pytest.raises(ValueError, match=message) as error:
        EventFile(path)
    assert str(path) in str(error.value)


def test_index_of_other_events(path):
    with h5py.File(path, 'a') as file:
        index = file['ms_to_idx']
        index[...] = np.maximum(index[()].astype(int) - 100, 0)
    file = EventFile(path)
    with pytest.raises(ValueError, match='ms_to_idx names events of .* as those of millisecond'):
        file.read(OFFSET + 200_500, Window(events=1))


@pytest.mark.parametrize('name', ['events/x', 'ms_to_idx'])
def test_missing_field(path, name):
    with h5py.File(path, 'a') as file:
        del file[name]
    with pytest.raises(ValueError, match=f'events.h5 lacks {name}'):
        EventFile(path)


def test_fields_of_different_lengths(path):
    with h5py.File(path, 'a') as file:
        file['events/x'].resize((19_999,))
    with pytest.raises(ValueError, match='expected one length'):
        EventFile(path)


def test_truncated_event_file(path):
    content = bytearray(path.read_bytes())
    path.write_bytes(content[:len(content) // 2])
    with pytest.raises(ValueError, match='events.h5 cannot be read as HDF5'):
        EventFile(path)


def test_damaged_chunk(path):
    with h5py.File(path, 'r') as file:
        chunk = file['events/x'].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset:chunk.byte_offset + chunk.size] = bytes(chunk.size)
    path.write_bytes(content)
    file = EventFile(path)
    with pytest.raises(ValueError, match='events.h5: events/x cannot be read'):
        file.read(OFFSET + 100, Window(us=100))
