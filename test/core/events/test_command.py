# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m mfs_seg_core.events`: golden recordings, what is printed, the picture, and errors."""

import json
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest
from support.event_encoders import evt3
from support.event_trees import random_events
from support.paths import SHARED_DATA

from mfs_seg_core.events import __main__ as command
from mfs_seg_core.events.info import plot as picture
from mfs_seg_core.events.info.rate import RateCounter
from mfs_seg_core.events.info.summary import exact_sum
from mfs_seg_core.events.types import Events, concatenate

DATA = SHARED_DATA / 'events'
GOLDEN = json.loads((DATA / 'golden_decode.json').read_text()) if DATA.is_dir() else {}
NO_TRIGGERS = {'n': 0, 'n_edge0': 0, 'n_edge1': 0, 'ids': [], 'sum_t': 0}


@pytest.fixture
def raw(tmp_path):
    """Random events, and a trigger before them; a tenth of them outside."""
    events = random_events(5000, 2_000_000, (100, 100))
    path = tmp_path / 'a.raw'
    path.write_bytes(b'% evt 3.0\n% geometry 90x100\n\x00\x80\x00\x60\x01\xa3' + evt3(events))
    return path


@pytest.mark.skipif(not GOLDEN, reason=f'no recordings in {DATA}')
@pytest.mark.parametrize('name', GOLDEN)
def test_golden(name, tmp_path, capsys):
    golden = GOLDEN[name]
    expected = {**GOLDEN.get(golden.get('same_as'), {}), 'triggers': NO_TRIGGERS, **golden}
    expected['encoding'] = expected['encoding'].lower()
    # Of the derived bag, and of who made it.
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
    assert (found['width'], found['height'], found['encoding']) == (90, 100, 'evt3')
    assert f'{raw}: evt3, 90x100\n{found["n"]:,} events: ' in out
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
    assert 'evt3, 90x100' in run.stdout and not run.stderr


@pytest.mark.parametrize('name, content, message', [
    ('missing.raw', None, 'cannot be read: No such file'),
    ('a.bin', b'\1\2\3', 'not a recording of a known format'),
    ('a.mcap', b'\x89MCAP0\r\n', 'cannot be read as a rosbag2'),
    ('a.txt', b'1 2 3 1\n1 2 3\n', 'line 2 of ')])
def test_errors(tmp_path, capsys, name, content, message):
    if content:
        (tmp_path / name).write_bytes(content)
    assert command.main([str(tmp_path / name)]) == 1
    out, err = capsys.readouterr()
    assert not out and message in err and err.count('\n') == 1 and name in err


def test_output_that_cannot_be_written(raw, tmp_path, capsys):
    for option, name in (('--json', 'no/a.json'), ('--picture', 'no/a.png'), ('--picture', 'a.x')):
        assert command.main([str(raw), option, str(tmp_path / name)]) == 1
        assert capsys.readouterr().err.count('\n') == 1


def test_picture(tmp_path):
    """The last event of a pixel colours it, where most events are; the rest stays grey."""
    busy = Events(np.arange(100) * 10 + 500_000, np.arange(100, dtype=np.uint16) % 10 + 40,
                  np.full(100, 30, np.uint16), np.arange(100) % 10 < 5)
    few = Events(np.array([0, 999_999]), *np.full((2, 2), 7, np.uint16), np.ones(2, bool))
    events = concatenate([few.where(slice(1)), busy, few.where(slice(1, 2))])
    path = tmp_path / 'a.raw'
    path.write_bytes(b'% evt 3.0\n% geometry 96x60\n' + evt3(events))
    assert command.main([str(path), '--picture', str(tmp_path / 'a.png')]) == 0
    image = cv2.imread(str(tmp_path / 'a.png'))
    assert image.shape == (picture.TITLE + 600 + picture.CHART, 960, 3)
    expected = np.full((60, 96, 3), picture.GROUND)
    expected[30, 40:45], expected[30, 45:50] = picture.BRIGHTER, picture.DARKER
    for place in (0, 9):
        sensor = image[picture.TITLE + place:picture.TITLE + 600:10, place::10]
        assert np.array_equal(sensor, expected)
    chart = image[-picture.CHART:]
    columns = np.flatnonzero((chart == picture.SHOWN).all(2).any(0))
    middle = (picture.LEFT + 960 - picture.RIGHT) / 2
    assert columns.size and abs(columns.mean() - middle) < 15


def test_picture_of_a_wide_sensor(tmp_path):
    events = random_events(10, 1000, (2047, 2047))
    path = tmp_path / 'a.raw'
    path.write_bytes(b'% evt 3.0\n% geometry 2048x2048\n' + evt3(events))
    assert command.main([str(path), '--picture', str(tmp_path / 'a.png')]) == 0
    assert cv2.imread(str(tmp_path / 'a.png')).shape[1] == 960


@pytest.mark.parametrize('span_us', [1, 90, 5000, 10**6, 10**10])
def test_rate(span_us):
    """Bins are counted in full, whatever they grow to."""
    random = np.random.default_rng(span_us)
    t = np.sort(random.integers(0, span_us, 20_000)) + 1_700_000_000_000_000
    counter = RateCounter()
    for part in np.array_split(t, 7):
        counter.add(part)
    start, end, size, counts = rate = counter.rate(100)
    assert start <= t[0] and end > t[-1] and len(counts) <= 100 and counts[0] and counts[-1]
    edges = start + size * np.arange(len(counts) + 1)
    assert np.array_equal(np.histogram(t, edges)[0] if len(counts) > 1 else [len(t)], counts)
    joined = rate.grouped(7)
    spans = np.diff([*range(start, end, 7 * size), end]) * 1e-6
    np.testing.assert_allclose(joined.per_second() * spans, joined.counts)
    assert joined.counts.sum() == 20_000


def test_rate_where_a_clock_jumps():
    counter = RateCounter()
    counter.add(np.array([5, 6, 1 << 60, 7]))
    rate = counter.rate(100)
    assert rate.counts.sum() == 4 and len(rate.counts) <= 100


def test_exact_sum():
    numbers = np.array([2**62, 2**62, 2**62, -5, 7], np.int64)
    assert exact_sum(numbers) == sum(numbers.tolist())
