# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of event cameras as people have them, read by ``mfs-seg events``."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from support.bags import KINDS, ROS1, event_array, file_of, write_bag
from support.event_encoders import evt3, evt21_legacy
from support.event_files import WRITERS, aedat20, aedat31, hdf5, text

from mfs_seg_core.events import __main__ as command
from mfs_seg_core.events.types import Events

START_US, COUNT = 100_000, 3000


def moving_bar(width: int, height: int) -> Events:
    """Return events of a bar that moves over a sensor; those at its edges are among them."""
    index = np.arange(COUNT)
    return Events(START_US + 50 * index.astype(np.int64), (index * 7 % width).astype(np.uint16),
                  (index * 11 % height).astype(np.uint16), index % 3 == 0)


def read(path, *options: str) -> dict:
    """Return the summary of a recording that the command reads without complaint."""
    output = path.with_name('summary.json')
    assert command.main([str(path), '--json', str(output), *options]) == 0
    return json.loads(output.read_text())


def check(summary: dict, events: Events, size: tuple[int, int]) -> None:
    """Compare a summary with the events that were written."""
    assert (summary['n'], summary['n_on']) == (events.count, int(events.p.sum()))
    assert (summary['t_first'], summary['t_last']) == (events.t[0], events.t[-1])
    assert (summary['sum_x'], summary['sum_y']) == (int(events.x.sum()), int(events.y.sum()))
    assert (summary['width'], summary['height']) == size
    assert summary['faults'] == {}


@pytest.mark.parametrize('name', WRITERS)
def test_format(name, tmp_path):
    suffix, write = WRITERS[name]
    events = moving_bar(346, 260)
    path = tmp_path / f'drive{suffix}'
    write(path, events)
    summary = read(path, *(('--size', '346', '260') if name.startswith(('dsec', 'v2e', 'mvsec'))
                           else ()))
    assert summary['n'] == events.count and summary['n_on'] == events.p.sum()
    assert summary['sum_x'] == events.x.sum() and summary['sum_y'] == events.y.sum()


COLUMNS = {
    'x_y_p_t_without_names': ('{x},{y},{p},{t}', ''),
    'x_y_p_t_and_geometry': ('{x},{y},{p},{t}', '%geometry:346,260\n'),
    'names_in_capitals': ('{p},{t},{x},{y}', 'Polarity,Timestamp,X,Y\n'),
    'index_of_a_table': ('{i},{t},{x},{y},{p}', ',t,x,y,p\n'),
    'seconds_after_a_long_head': ('{s:.6f} {x} {y} {p}', '# head\n' * 40),
    'microseconds_after_a_long_head': ('{t},{x},{y},{p}', '# head\n' * 40),
    'nanoseconds': ('{ns} {x} {y} {p}', '# t[ns] x y p\n'),
    'byte_order_mark': ('{t};{x};{y};{q}', '\ufefft;x;y;p\n'),
}


@pytest.mark.parametrize('name', COLUMNS)
def test_columns_of_text(name, tmp_path):
    line, head = COLUMNS[name]
    events = moving_bar(346, 260)
    path = tmp_path / 'events.csv'
    path.write_bytes(text(events, line, head))
    check(read(path), events, (346, 260))


def test_columns_in_doubt_are_refused(tmp_path, capsys):
    path = tmp_path / 'events.csv'
    # Time is above all other columns only by its last digit: each could be x or y.
    path.write_text('1,1,1,1\n1,1,1,1\n')
    assert command.main([str(path)]) == 1
    error = capsys.readouterr().err
    assert error.count('\n') == 1 and str(path) in error and 'columns' in error
    assert read(path, '--columns', 'x,y,p,t', '--unit', 'us')['n'] == 2


def test_hdf5_of_a_large_sensor(tmp_path):
    events = moving_bar(1280, 720)
    path = hdf5(tmp_path / 'a.h5', {
        **{f'events/{name}': values for name, values in events._asdict().items()},
        'ms_to_idx': np.searchsorted(events.t, np.arange(0, 1000 * 251, 1000))})
    check(read(path), events, (1280, 720))


HEADS = {
    # A NUL where a newline belongs.
    'nul': ('% evt 3.0\n% format EVT3;height=320;width=320\0% geometry 320x320\0% end\n',
            (320, 320), evt3),
    'size_by_system': ('% evt 3.0\n% integrator_name Maker\n% plugin_name plugin\n% system_ID 40\n',
                       (640, 480), evt3),
    'utf8': ('% evt 3.0\n% integrator_name Müller\n% geometry 640x480\n% end\n', (640, 480), evt3),
    'byte_order': ('% endianness legacy\n% evt 2.1\n% format EVT21;height=320;width=320\n% end\n',
                   (320, 320), evt21_legacy),
    'byte_order_by_system': ('% evt 2.1\n% integrator_name Prophesee\n% system_ID 49\n'
                             '% geometry 320x320\n% end\n', (320, 320), evt21_legacy),
}


@pytest.mark.parametrize('name', HEADS)
def test_head_of_raw(name, tmp_path):
    head, size, encode = HEADS[name]
    events = moving_bar(320, 320)
    path = tmp_path / 'a.raw'
    path.write_bytes(head.encode() + encode(events))
    check(read(path), events, size)


def test_aedat2_of_jaer_and_of_v2e(tmp_path):
    events = moving_bar(346, 260)
    head = '#!AER-DAT2.0\r\n# Timestamps tick is 1 us\r\n'
    long = head + '# AEChip: eu.seebetter.ini.chips.davis.Davis346blue\r\n' + (
        '#<entry key="Davis346.chip.bias" value="1"/>\r\n' * 200)
    for name, content in (('v2e.aedat', aedat20(events, head)), ('caer.aedat', aedat31(events)),
                          ('jaer.aedat', aedat20(events, long)), ('as.txt', aedat20(events, long))):
        path = tmp_path / name
        path.write_bytes(content)
        check(read(path), events, (346, 260))


@pytest.mark.parametrize('package', ['dvs_msgs', 'prophesee_event_msgs', 'dv_ros_msgs'])
@pytest.mark.parametrize('kind', KINDS, ids=str)
def test_event_arrays_in_bags(kind, package, tmp_path):
    events = moving_bar(346, 260)
    parts = [events.where(slice(first, first + 250)) for first in range(0, COUNT, 250)]
    path = write_bag(tmp_path / 'bag', {'/dvs/events': [
        (int(part.t[0]) * 1000, event_array(part, (346, 260), int(part.t[0]) * 1000, kind, package))
        for part in parts]}, kind)
    check(read(path), events, (346, 260))
    if kind == ROS1:
        # The content decides, not the name.
        check(read(path.rename(tmp_path / 'bag.txt')), events, (346, 260))


@pytest.mark.parametrize('kind', KINDS, ids=str)
def test_a_cut_bag_is_read_to_its_cut(kind, tmp_path, capsys):
    events = moving_bar(346, 260)
    parts = [events.where(slice(first, first + 100)) for first in range(0, COUNT, 100)]
    path = file_of(write_bag(tmp_path / 'bag', {'/dvs/events': [
        (int(part.t[0]) * 1000, event_array(part, (346, 260), int(part.t[0]) * 1000, kind))
        for part in parts]}, kind))
    cut = tmp_path / f'cut{path.suffix}'
    cut.write_bytes(path.read_bytes()[:path.stat().st_size * 3 // 4])
    output = tmp_path / 'summary.json'
    command.main([str(cut), '--json', str(output)])
    out, error = capsys.readouterr()
    summary = json.loads(output.read_text())
    assert 0 < summary['n'] < COUNT and summary['n'] % 100 == 0
    assert any(word in out + error for word in ('reindex', 'recover'))
    assert error.count('\n') <= 1


def test_too_many_rejected_events_are_an_error(tmp_path, capsys):
    path = tmp_path / 'a.raw'
    path.write_bytes(b'% evt 3.0\n% end\n' + evt3(moving_bar(640, 480)))
    assert command.main([str(path), '--size', '320', '240']) == 1
    out, error = capsys.readouterr()
    assert 'outside the sensor' in out and error.count('\n') == 1
    assert 'of the events were rejected, mainly outside the sensor' in error


UNREADABLE = {
    'empty': b'',
    'text': b'Dear diary,\ntoday I drove.\n',
    'video': b'\0\0\0\x20ftypisom' + bytes(100),
    'other_hdf5': None,
    'old_raw': struct.pack('<4I', 1, 2, 3, 4),
}


@pytest.mark.parametrize('name', UNREADABLE)
def test_other_files_get_one_sentence(name, tmp_path, capsys):
    path = tmp_path / 'file.bin'
    if UNREADABLE[name] is None:
        hdf5(path, {'weather/rain': np.zeros(10)})
    else:
        path.write_bytes(UNREADABLE[name])
    assert command.main([str(path)]) == 1
    out, error = capsys.readouterr()
    assert not out and error.count('\n') == 1 and str(path) in error
    assert 'no events' not in error
