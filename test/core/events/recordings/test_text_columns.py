# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text: order of the columns and unit of the times from names, values and arguments."""

import numpy as np
import pytest
from support.event_files import text
from support.event_trees import equal, random_events

from mfs_seg_core.events.recordings import open_recording
from mfs_seg_core.events.types import concatenate

# A full sensor, at 4 kev/s.
EVENTS = random_events(2000, 500_000, (320, 240))


def read(path, data: bytes, **options):
    path.write_bytes(data)
    recording = open_recording(path, **options)
    return concatenate(list(recording)), recording


@pytest.mark.parametrize('line', [
    '{t} {x} {y} {p}', '{x},{y},{p},{t}', '{x} {y} {t} {p}', '{t} {p} {x} {y}', '{p} {x} {y} {t}',
    '{p} {t} {x} {y}', '{s:.6f} {x} {y} {p}', '{s:.9e},{x},{y},{p}', '{ms:.3f} {x} {y} {p}',
    '{ns} {x} {y} {p}', '{x},{y},{q},{ns}', '{t}.0 {x}.0 {y}.0 {p}.0', '{i},{t},{x},{y},{p}',
    '{t} {x} {y} {p} 1', '  {t} ;{x}; {y} ;{p}  ', '{t}\t{x}\t{y}\t{p}\t',
    '"{t}","{x}","{y}","{p}"', '[{t}, {x}, {y}, {p}]', '{t},{x},{y},{b}', '{t} {x} {y} {p} # note'])
def test_order_and_unit_from_values(tmp_path, line):
    events, recording = read(tmp_path / 'a.txt', text(EVENTS, line))
    assert equal(events, EVENTS) and recording.faults == {} and recording.size == (320, 240)
    assert recording.size_origin == 'bounding box of the events'


@pytest.mark.parametrize('head, line', [
    ('x,y,p,t\n', '{x},{y},{p},{t}'), ('T,X,Y,P\n', '{t},{x},{y},{p}'),
    ('timestamp,y,x,polarity\n', '{t},{y},{x},{p}'), ('# t y x p\n', '{t} {y} {x} {p}'),
    ('# columns: Time [us], Row, Col, Pol\n', '{t},{y},{x},{p}'),
    ('"x_pos";"y_pos";"on";"timestamp_ns"\n', '{x};{y};{p};{ns}'),
    (',t,x,y,p\n', '{i},{t},{x},{y},{p}'), ('Unnamed: 0,y,x,p,ts\n', '{i},{y},{x},{p},{t}'),
    ('cam t x y p score\n', '7 {t} {x} {y} {p} 0.5'), ('time_ms x y p\n', '{ms:.3f} {x} {y} {p}'),
    ('% x,y,p,t\n', '{x},{y},{p},{t}'), ('Events\nt x y p\n', '{t} {x} {y} {p}')])
def test_names_decide(tmp_path, head, line):
    assert equal(read(tmp_path / 'a.csv', text(EVENTS, line, head))[0], EVENTS)


@pytest.mark.parametrize('head', [
    '# head\n' * 2500, '// head\n' * 30, '; head\n' * 30, '-- head\n' * 30, '%' * 80 + '\n',
    ('# ' + 'long ' * 2000 + '\n') * 30, '\ufeff', '\ufeff# µs\n', '# Straße\n\n\n', '2000\n'])
@pytest.mark.parametrize('line', ['{s:.6f} {x} {y} {p}', '{t},{x},{y},{p}'])
def test_heads(tmp_path, head, line):
    assert equal(read(tmp_path / 'a.txt', text(EVENTS, line, head))[0], EVENTS)


@pytest.mark.parametrize('encoding', ['utf-16', 'latin-1'])
def test_encodings(tmp_path, encoding):
    data = text(EVENTS, '{t} {x} {y} {p}', '# Größe\r\n').decode().encode(encoding)
    assert equal(read(tmp_path / 'a.txt', data)[0], EVENTS)


@pytest.mark.parametrize('head', [
    '%geometry:640,480\n', '% geometry 640x480\n', '# width: 640\n# height: 480\n', '640 480\n',
    '# sensor size = 640 x 480\n', '#resolution (640, 480)\n'])
def test_size_in_the_head(tmp_path, head):
    events, recording = read(tmp_path / 'a.txt', text(EVENTS, '{x},{y},{p},{t}', head))
    assert equal(events, EVENTS)
    assert recording.size == (640, 480) and recording.size_origin == ''


def test_nanoseconds_since_1970_are_exact(tmp_path):
    start = 1_700_000_000_123_456_789
    lines = ''.join(f'{start + 1000 * i} {i % 300} {i % 200} {i % 2}\n' for i in range(500))
    events, _ = read(tmp_path / 'a.txt', lines.encode())
    assert events.t.tolist() == [start // 1000 + i for i in range(500)]


@pytest.mark.parametrize('first', ['0 3 4 1\n', '0.0 3 4 1\n'])
def test_first_time_without_decimals(tmp_path, first):
    events, _ = read(tmp_path / 'a.txt', first.encode() + text(EVENTS, '{s:.6f} {x} {y} {p}'))
    assert events.t.tolist() == [0, *EVENTS.t.tolist()]


def test_times_out_of_order(tmp_path):
    """Values that no coordinate has are times, in whatever order."""
    order = np.random.default_rng(0).permutation(EVENTS.count)
    events, recording = read(tmp_path / 'a.txt', text(EVENTS.where(order), '{x} {y} {p} {t}'))
    assert equal(events, EVENTS.where(order)) and recording.faults['time went back'] > 500


def test_first_events_of_a_bar_that_moves(tmp_path):
    """They lie on a part of the sensor that looks like a smaller one with x and y swapped."""
    count, width = 18_000, 320
    t = np.arange(count) * 20
    events = EVENTS._replace(t=t, x=(t * width // (20 * count)).astype(np.uint16),
                             y=np.resize(EVENTS.y, count), p=np.resize(EVENTS.p, count))
    assert equal(read(tmp_path / 'a.txt', text(events, '{x},{y},{p},{t}'))[0], events)


def test_arguments_decide(tmp_path):
    data = text(EVENTS, '{p} {y} {x} {t}')
    with pytest.raises(ValueError, match='a.txt has events up to 240 x 320, .* x and y swapped'):
        read(tmp_path / 'a.txt', data)
    events, _ = read(tmp_path / 'a.txt', data, columns='p,y,x,t')
    assert equal(events, EVENTS)
    events, _ = read(tmp_path / 'a.txt', data, columns='pol y x time', unit='ms')
    assert equal(events, EVENTS._replace(t=EVENTS.t * 1000))
    for option, message in (({'columns': 'a,b'}, "columns 'a,b' do not name t, x, y and p"),
                            ({'columns': 'a,b,x,y,p,t'}, 'are more than the 4 of the file'),
                            ({'columns': 'p,y,x,t', 'unit': 'h'}, "unit 'h' is unknown")):
        with pytest.raises(ValueError, match=message):
            read(tmp_path / 'a.txt', data, **option)


@pytest.mark.parametrize('data, message', [
    # x and y rise like a time; one event; all in one place; an unknown first column.
    (text(EVENTS, '{i} {i} {i} 1'), 'columns'), (b'5 1 1 1\n', 'columns'),
    (text(EVENTS, '{t} 1 1 1') + text(EVENTS, '0 1 1 1'), 'columns'),
    (text(EVENTS, '7 {t} {x} {y} {p} 2'), 'columns'),
    # Nanoseconds of a clock of microseconds, or microseconds of one of milliseconds; a tenth of a
    # second is too coarse.
    (text(EVENTS._replace(t=np.arange(EVENTS.count) // 4), '{ns} {x} {y} {p}'), 'times'),
    (text(EVENTS._replace(t=EVENTS.t * 20), '{s:.1f} {x} {y} {p}'), 'times')])
def test_doubt_is_refused(tmp_path, data, message):
    with pytest.raises(ValueError, match=f'a.txt has {message}.*--(columns|unit) ') as error:
        read(tmp_path / 'a.txt', data)
    assert '\n' not in str(error.value)


def test_cut_last_line(tmp_path):
    events, recording = read(tmp_path / 'a.txt', text(EVENTS) + b'600000 3')
    assert equal(events, EVENTS) and recording.faults == {'cut word': 1}
    assert recording.notes == ['line 2001, the last one, is cut']


def test_complete_last_line_with_a_fault(tmp_path):
    with pytest.raises(ValueError, match='line 2001 of .* is not an event'):
        read(tmp_path / 'a.txt', text(EVENTS) + b'600000 3\n')


@pytest.mark.parametrize('data', [b'# Title\n\nSome text here.\n', b'one two three four\n' * 200])
def test_other_texts_are_refused(tmp_path, data):
    with pytest.raises(ValueError, match='a.txt is (a text without|not an) event'):
        read(tmp_path / 'a.txt', data)


def test_only_a_head(tmp_path):
    events, recording = read(tmp_path / 'a.csv', b'x,y,p,t\n')
    assert events.count == 0 and recording.faults == {}
