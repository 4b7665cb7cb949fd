# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Formats are recognised by content; each reader returns the events that were written."""

import gzip

import numpy as np
import pytest
from support.event_files import SIZE, WRITERS, aedat20
from support.event_trees import equal, random_events

from mfs_seg_core.bags.storage import zstd
from mfs_seg_core.events.recordings import formats, open_recording
from mfs_seg_core.events.types import concatenate

EVENTS = random_events(2000, 90_000, SIZE)
# Layouts whose size is not stated, and is known by the layout or taken from the events.
GUESSED = {'text': SIZE, 'npy': SIZE, 'npz': SIZE, 'v2e': SIZE, 'aedat20': SIZE, 'mvsec': SIZE,
           'dsec': (640, 480), 'dsec_gzip': (640, 480)}
STATED = {'m3ed': (1280, 720)}


@pytest.mark.parametrize('suffix', ['own', '.bin'])
@pytest.mark.parametrize('name', WRITERS)
def test_events_of_each_format(tmp_path, name, suffix):
    own, write = WRITERS[name]
    path = tmp_path / f'a{own}'
    write(path, EVENTS)
    if suffix != 'own':
        path = path.rename(tmp_path / f'a{suffix}')
    recording = open_recording(path)
    events = concatenate(list(recording))
    assert equal(events, EVENTS) and recording.accepted == EVENTS.count
    assert recording.faults == {} and recording.notes == []
    assert recording.size == GUESSED.get(name, STATED.get(name, SIZE))
    assert bool(recording.size_origin) == (name in GUESSED)
    # Once more, from the start.
    assert equal(concatenate(list(recording)), EVENTS) and recording.accepted == EVENTS.count


@pytest.mark.parametrize('name', [name for name in WRITERS if name not in STATED])
def test_size_of_the_caller(tmp_path, name):
    """A stated size overrides that of the caller, which overrides a guess."""
    suffix, write = WRITERS[name]
    write(tmp_path / f'a{suffix}', EVENTS)
    recording = open_recording(tmp_path / f'a{suffix}', size=(400, 300))
    assert recording.size == ((400, 300) if name in GUESSED else SIZE)
    assert recording.size_origin == ''


@pytest.mark.parametrize('name', WRITERS)
def test_columns_and_unit_are_for_tables(tmp_path, name):
    suffix, write = WRITERS[name]
    write(tmp_path / f'a{suffix}', EVENTS)
    found = formats.recognise(tmp_path / f'a{suffix}')
    if found.is_table:
        opened = open_recording(tmp_path / f'a{suffix}', unit='ms')
        assert concatenate(list(opened)).t[-1] in (EVENTS.t[-1] * 1000, EVENTS.t[-1] // 1000 + 1,
                                                   EVENTS.t[-1] // 1000)
    else:
        with pytest.raises(ValueError, match='whose columns and unit are fixed'):
            open_recording(tmp_path / f'a{suffix}', unit='ms')


@pytest.mark.parametrize('start, name', [
    (b'#ROSBAG V2.0\n', 'rosbag'), (b'\x89MCAP0\r\n', 'rosbag'), (b'SQLite format 3\0', 'rosbag'),
    (b'\0' * 512 + b'\x89HDF\r\n\x1a\n', 'HDF5'),
    (b'#!AER-DAT2.0\r\n# text\r\n', 'AEDAT 2.0'), (b'#!AER-DAT3.1\r\n', 'AEDAT 3.1'),
    (b'% evt 3.0\n', 'RAW'), (b'% Version 2\n', 'DAT'), (b'%geometry:4,3\n1,2,1,9\n', 'text'),
    (b'% date 2020\n% x,y,p,t\n1,2,1,9\n', 'text'), (b'\xef\xbb\xbft,x,y,p\n', 'text'),
    ('\ufefft,x'.encode('utf-16-le'), 'text'), ('# µs\n'.encode('latin-1'), 'text')])
def test_content_decides(tmp_path, start, name):
    (tmp_path / 'a.h5').write_bytes(start)
    assert formats.recognise(tmp_path / 'a.h5').name == name


def test_packed_bag(tmp_path):
    (tmp_path / 'a.h5').write_bytes(zstd().compress(b'\x89MCAP0\r\n'))
    assert formats.recognise(tmp_path / 'a.h5').name == 'rosbag'


def test_folders_and_suffixes_of_bags(tmp_path):
    (tmp_path / 'a.mcap').write_bytes(bytes(100))
    assert formats.recognise(tmp_path).module == 'bag'
    assert formats.recognise(tmp_path / 'a.mcap').module == 'bag'


def test_archives_are_refused(tmp_path):
    (tmp_path / 'a.csv.gz').write_bytes(gzip.compress(b'1 2 3 1\n'))
    with pytest.raises(ValueError, match=r'a.csv.gz is packed \(gzip\): unpack it first'):
        open_recording(tmp_path / 'a.csv.gz')


def test_every_format_is_described():
    text = formats.describe()
    for found in formats.FORMATS:
        assert f'{found.name} ({found.suffixes})\n  recognised by: {found.sign}' in text
    assert text.count('  refused: ') == len(formats.FORMATS)


def test_mirrored_origin_of_aedat2():
    """The origin of AEDAT 2.0 is the lower right corner, so that (0, 0) is stored as the last."""
    corner = EVENTS.where(slice(1))._replace(x=np.zeros(1, np.uint16), y=np.zeros(1, np.uint16))
    address = int.from_bytes(aedat20(corner)[-8:-4], 'big')
    assert (address >> 12 & 0x3ff, address >> 22 & 0x1ff) == (345, 259)
