# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings and times of images from the names of their files, and from CSV files."""

from pathlib import Path

import pytest

from mfs_seg_core.data.folder.order import ordered, read_order
from mfs_seg_core.data.folder.path_pairs import PathPair

ROOT = Path('root')


def pairs(*names, root=ROOT):
    return [PathPair(root / f'{name}.png', None, name) for name in names]


def by_names(given, names, rate_hz=0.0):
    """Return recording, time and name of the frames."""
    frames = ordered(given, read_order({'names': names, 'rate_hz': rate_hz}), ROOT)
    return [(frame.recording, frame.stamp_ns, frame.pair.name) for frame in frames]


def by_csv(tmp_path, text, *names, rate_hz=0.0):
    (tmp_path / 'times.csv').write_text(text)
    order = read_order({'csv': 'times.csv', 'rate_hz': rate_hz})
    frames = ordered(pairs(*names, root=tmp_path), order, tmp_path)
    return [(frame.recording, frame.stamp_ns, frame.pair.name) for frame in frames]


def test_frame_numbers():
    assert by_names(pairs('b_2', 'a_x_10', 'a_x_9'), '{recording}_{frame}', 10.0) == [
        ('a_x', 900_000_000, 'a_x_9'), ('a_x', 1_000_000_000, 'a_x_10'), ('b', 200_000_000, 'b_2')]


def test_stamps_keep_their_nanoseconds():
    assert by_names(pairs('cam/1700000000123456789'), '{stamp_ns}') == [
        ('cam', 1_700_000_000_123_456_789, 'cam/1700000000123456789')]
    assert by_names(pairs('1700000000.123456789'), '{stamp_s}')[0][1] == 1_700_000_000_123_456_789
    assert by_names(pairs('t1500', 't2'), 't{stamp_ms}') == [
        ('.', 2_000_000, 't2'), ('.', 1_500_000_000, 't1500')]


def test_a_folder_is_a_recording_unless_the_name_has_one():
    given = pairs('x/left/1', 'y/left/1')
    assert [each[0] for each in by_names(given, '{frame}', 1.0)] == ['x/left', 'y/left']
    assert [each[0] for each in by_names(given, '{recording}/left/{frame}', 1.0)] == ['x', 'y']


def test_several_patterns_are_tried_in_turn():
    found = by_names(pairs('0006R0_f00930', '0001TP_006690'),
                     ['{recording}_{frame}', '{recording}_f{frame}'], 30.0)
    assert [(each[0], each[1]) for each in found] == [
        ('0001TP', 223_000_000_000), ('0006R0', 31_000_000_000)]


def test_csv(tmp_path):
    text = 'image, stamp_us, recording\nb.png, 50, one\nimages/a, 100, one\nc, 1, two\n'
    assert by_csv(tmp_path, text, 'images/a', 'images/b', 'images/c') == [
        ('one', 50_000, 'images/b'), ('one', 100_000, 'images/a'), ('two', 1_000, 'images/c')]
    assert by_csv(tmp_path, 'frame,image\n3,a\n', 'a', rate_hz=2.0) == [('', 1_500_000_000, 'a')]


@pytest.mark.parametrize('text, message', [
    ('image,time\na,1\n', r'times.csv has the columns image, time: the first line must name image'),
    ('', 'has the columns none'),
    ('image,stamp_s\nx,1\n', "times.csv, line 2: 'x': no image has this name"),
    ('image,stamp_s\nz,1\n', "line 2: 'z': several images have this name"),
    ('image,stamp_s\na,noon\n', "line 2: stamp_s is 'noon': write a number"),
    ('image,stamp_s\na,nan\n', "line 2: stamp_s is 'nan': write a number"),
    ('image,stamp_s\na\n', 'line 2, has another number of values'),
    ('image,stamp_s\na,1\na.png,2\n', 'line 3 names .*a.png a second time'),
    ('image,stamp_s\na,1\n', 'does not name .*z.png: add a line for each image'),
    ('image,frame\na,1\n', 'frame numbers need rate_hz')])
def test_mistakes_in_csv(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        by_csv(tmp_path, text, 'a', 'one/z', 'two/z')


def test_missing_csv():
    with pytest.raises(ValueError, match=r'times.csv cannot be read \(No such file'):
        ordered(pairs('a'), read_order({'csv': 'times.csv'}), ROOT)


@pytest.mark.parametrize('values, message', [
    ({}, 'needs either names'), ({'names': '{frame}', 'csv': 'x'}, 'needs either names'),
    ({'names': '{recording}'}, 'must have one of {frame}, {stamp_s}'),
    ({'names': '{frame}_{stamp_s}'}, 'must have one of'),
    ({'names': '{frame}_{day}', 'rate_hz': 1.0}, 'nothing else in braces'),
    ({'names': '{frame}'}, 'frame numbers need rate_hz'),
    ({'names': '{frame}', 'rate_hz': -1.0}, 'above 0'),
    ({'names': '{frame}', 'rate': 1.0}, "unknown setting 'rate'")])
def test_mistakes_in_settings(values, message):
    with pytest.raises(ValueError, match=message):
        read_order(values)


def test_names_that_do_not_match_and_equal_times():
    with pytest.raises(ValueError, match='a.png does not match the names of sequences, x_{frame}'):
        by_names(pairs('a'), 'x_{frame}', 1.0)
    with pytest.raises(ValueError, match="a_1.png and .*a_01.png have the same time in .* 'a'"):
        by_names(pairs('a_1', 'a_01'), '{recording}_{frame}', 1.0)
