# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``mfs-seg events``: golden recordings, output and errors."""

import json
import re
import subprocess
import sys

import pytest
from support.event_encoders import evt3
from support.event_files import hdf5, m3ed, text
from support.event_trees import random_events
from support.paths import SHARED_DATA

from mfs_seg_core.events import __main__ as command
from mfs_seg_core.events.recordings.formats import FORMATS

DATA = SHARED_DATA / 'events'
GOLDEN = json.loads((DATA / 'golden_decode.json').read_text()) if DATA.is_dir() else {}
NO_TRIGGERS = {'n': 0, 'n_edge0': 0, 'n_edge1': 0, 'ids': [], 'sum_t': 0}


@pytest.fixture
def raw(tmp_path):
    """Random events, some of them outside the sensor, and a trigger before them."""
    events = random_events(5000, 2_000_000, (1000, 100))
    path = tmp_path / 'a.raw'
    path.write_bytes(b'% evt 3.0\n% geometry 995x100\n\x00\x80\x00\x60\x01\xa3' + evt3(events))
    return path


@pytest.mark.skipif(not GOLDEN, reason=f'no recordings in {DATA}')
@pytest.mark.parametrize('name', GOLDEN)
def test_golden(name, tmp_path, capsys):
    if (DATA / name).is_dir():
        pytest.importorskip('rosbags', reason='rosbags is not installed: no bag was read')
    golden = GOLDEN[name]
    expected = {**GOLDEN.get(golden.get('same_as'), {}), 'triggers': NO_TRIGGERS, **golden}
    expected['encoding'] = expected['encoding'].lower()
    # Keys of the derived bag alone.
    expected = {key: value for key, value in expected.items() if key not in ('same_as', 'messages')}
    assert command.main([str(DATA / name), '--json', str(tmp_path / 'a.json')]) == 0
    found = json.loads((tmp_path / 'a.json').read_text())
    assert {key: found[key] for key in expected} == expected
    assert found['faults'] == {} and sum(found['rate']['counts']) == found['n']
    out = capsys.readouterr().out
    assert f'{expected["n"]:,} events: {expected["n_on"]:,} brighter' in out
    assert 'faults: none' in out and out.count(' s ') <= 21


def test_report(raw, tmp_path, capsys):
    assert command.main([str(raw), '--json', str(tmp_path / 'a.json')]) == 0
    out = capsys.readouterr().out
    found = json.loads((tmp_path / 'a.json').read_text())
    assert found['n'] + found['faults']['outside the sensor'] == 5000
    assert (found['width'], found['height'], found['encoding']) == (995, 100, 'evt3')
    assert f'{raw}: evt3, 995x100\n{found["n"]:,} events: ' in out
    assert 'triggers: 1 (1 rising, 0 falling) of input 3\nfaults: outside the sensor ' in out
    assert len(re.findall(r'ev/s #+\n', out)) == 20
    assert found['duration_us'] == found['t_last'] - found['t_first']


def test_no_events(tmp_path, capsys):
    path = tmp_path / 'a.raw'
    path.write_bytes(b'% evt 3.0\n')
    assert command.main([str(path), '--json', str(tmp_path / 'a.json')]) == 0
    assert 'no events\ntriggers: none\nfaults: none' in capsys.readouterr().out
    found = json.loads((tmp_path / 'a.json').read_text())
    assert (found['n'], found['t_first'], found['duration_us']) == (0, None, 0)
    assert command.main([str(path), '--picture', str(tmp_path / 'a.png')]) == 1
    assert 'has no events to draw' in capsys.readouterr().err


def test_as_a_process(raw):
    run = subprocess.run([sys.executable, '-m', 'mfs_seg_core.events', str(raw)],
                         capture_output=True, text=True, check=True)
    assert 'evt3, 995x100' in run.stdout and not run.stderr


def test_rejected_events_are_an_error(tmp_path, capsys):
    """The summary is printed, and written, before the sentence."""
    events = random_events(1000, 400_000, (640, 480))
    path = tmp_path / 'a.raw'
    path.write_bytes(b'% evt 3.0\n% geometry 320x480\n' + evt3(events))
    assert command.main([str(path), '--json', str(tmp_path / 'a.json')]) == 1
    out, err = capsys.readouterr()
    found = json.loads((tmp_path / 'a.json').read_text())
    rejected = found['faults']['outside the sensor']
    assert f'faults: outside the sensor {rejected:,}' in out
    assert err.startswith(f'events: {path}: {rejected / 1000:.0%} of the events were rejected, '
                          'mainly outside the sensor') and err.count('\n') == 1


def test_columns_and_unit(tmp_path, capsys):
    events = random_events(1000, 400_000, (300, 200))
    path = tmp_path / 'a.csv'
    path.write_bytes(text(events, '{p},{y},{x},{t}'))
    assert command.main([str(path)]) == 0
    assert f'{path}: text, 200x300 (bounding box of the events)' in capsys.readouterr().out
    options = ['--columns', 'p,y,x,t', '--unit', 'ms', '--json', str(tmp_path / 'a.json')]
    assert command.main([str(path), *options]) == 0
    found = json.loads((tmp_path / 'a.json').read_text())
    assert (found['width'], found['height']) == (300, 200)
    assert found['t_last'] == int(events.t[-1]) * 1000 and found['n'] == 1000


def test_size_and_topic(tmp_path, capsys):
    events = random_events(1000, 400_000, (300, 200))
    path = tmp_path / 'a.csv'
    path.write_bytes(text(events))
    assert command.main([str(path), '--size', '640', '480']) == 0
    assert f'{path}: text, 640x480\n' in capsys.readouterr().out
    path = hdf5(tmp_path / 'a.h5', m3ed(events))
    assert command.main([str(path), '--topic', 'prophesee/right']) == 0
    assert ', topic prophesee/right\n' in capsys.readouterr().out


def test_notes_of_a_cut_file(tmp_path, capsys):
    path = tmp_path / 'a.txt'
    path.write_bytes(text(random_events(1000, 400_000, (300, 200))) + b'500000 1')
    assert command.main([str(path)]) == 0
    assert 'note: line 1001, the last one, is cut\n' in capsys.readouterr().out


def test_formats(capsys):
    assert command.main(['--formats']) == 0
    out = capsys.readouterr().out
    assert all(f'{found.name} ({found.suffixes})\n' in out for found in FORMATS)
    with pytest.raises(SystemExit):
        command.main([])
    assert 'give a FILE, or --formats' in capsys.readouterr().err


@pytest.mark.parametrize('name, content, message', [
    ('missing.raw', None, 'cannot be read: No such file'),
    ('a.bin', b'\1\2\3', 'not a recording of a known format'),
    ('a.mcap', b'\x89MCAP0\r\n', 'cannot be read, it ends after 8 bytes'),
    ('a.txt', b't x y p\n1 2 3 1\n1 2 3\n2 3 4 1\n', 'line 3 of ')])
def test_errors(tmp_path, capsys, name, content, message):
    if content:
        (tmp_path / name).write_bytes(content)
    assert command.main([str(tmp_path / name)]) == 1
    out, err = capsys.readouterr()
    assert not out and message in err and err.count('\n') == 1 and name in err


def test_unwritable_output(raw, tmp_path, capsys):
    pytest.importorskip('matplotlib', reason='matplotlib is not installed: '
                                             'pip install "mfs_seg_ros[plots]"')
    for option, name in (('--json', 'a.raw/a.json'), ('--picture', 'a.raw/a.png'),
                         ('--picture', 'a.x')):
        assert command.main([str(raw), option, str(tmp_path / name)]) == 1
        error = capsys.readouterr().err
        assert error.count('\n') == 1 and f"{name}' cannot be written" in error


def test_picture(raw, tmp_path):
    pytest.importorskip('matplotlib', reason='matplotlib is not installed: '
                                             'pip install "mfs_seg_ros[plots]"')
    assert command.main([str(raw), '--picture', str(tmp_path / 'a.png')]) == 0
    assert (tmp_path / 'a.png').read_bytes().startswith(b'\x89PNG')
