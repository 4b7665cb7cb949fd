# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Videos: the times of their frames, damaged and cut ones."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from support.videos import HEIGHT, WIDTH, jpeg, write_mkv, write_video

from mfs_seg_core.sources.items import SourceError
from mfs_seg_core.sources.open_source import open_source
from mfs_seg_core.sources.video_clock import VideoClock

VALUES = [30 + 10 * index for index in range(20)]


def times(path: Path, **options) -> list[float]:
    """Return the times of a video's frames from the first one on, in seconds."""
    return [frame.time_s for frame in open_source(path, **options)]


def played(path: Path) -> tuple[list[float], list[int], object]:
    """Return times and grey values of a video's frames, and the report."""
    source = open_source(path)
    frames = list(source)
    return ([round(frame.time_s, 3) for frame in frames],
            [round(float(frame.image.mean())) for frame in frames], source.report)


def written(path: Path, times_ms: list[int]) -> Path:
    """Write a video with these times."""
    return write_mkv(path, [(time_ms, jpeg(100)) for time_ms in times_ms])


def test_a_variable_rate_is_kept(tmp_path):
    """The header states no rate, for which FFmpeg says 1000 per second."""
    steps = np.random.default_rng(0).integers(20, 110, 60)
    times_ms = np.cumsum(steps).tolist()
    path = written(tmp_path / 'browser.webm', times_ms)
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == 1000
    assert np.diff(times(path)) == pytest.approx(steps[1:] / 1000)


def test_pairs_of_frames_a_millisecond_apart_are_kept(tmp_path):
    times_ms = [time_ms for start in range(0, 1000, 66) for time_ms in (start, start + 1)]
    assert times(written(tmp_path / 'pairs.mkv', times_ms)) == pytest.approx(
        [time_ms / 1000 for time_ms in times_ms])


@pytest.mark.parametrize('name, code', [('a.avi', 'MJPG'), ('a.mp4', 'mp4v'), ('a.mkv', 'FFV1')])
def test_a_constant_rate_is_kept(tmp_path, name, code):
    found, values, report = played(write_video(tmp_path / name, code, 12.5, VALUES[:5]))
    assert found == pytest.approx([0.0, 0.08, 0.16, 0.24, 0.32])
    assert np.abs(np.array(values) - VALUES[:5]).max() <= 6
    assert report.notes == [] and not report.skipped


@pytest.mark.parametrize('times_ms, expected_ms, sentence', [
    # A glitch, and a clock that was set back, after which the frames keep their distances.
    ([0, 100, 200, 150, 300, 400], [0, 100, 200, 280, 300, 400], 'times that go back'),
    ([5000, 5100, 5200, 0, 150, 250], [5000, 5100, 5200, 5312, 5462, 5562], 'times that go back'),
    ([0, 100, 3_600_000, 3_600_100], [0, 100, 200, 300], 'jump by more than 10 s'),
    # The last frame of an AVI with frames between others has no time.
    ([0, 500, 1200, 0], [0, 500, 1200, 1800], ''),
    # Three frames for each stamp.
    ([0, 0, 0, 100, 100, 100, 200], [0, 33, 67, 100, 133, 167, 200], 'stand still'),
])
def test_times_that_cannot_be_are_replaced_and_said(tmp_path, times_ms, expected_ms, sentence):
    found, _, report = played(written(tmp_path / 'a.mkv', times_ms))
    assert np.subtract(found, found[0]) == pytest.approx(
        np.subtract(expected_ms, expected_ms[0]) / 1000, abs=0.002)
    assert len(report.notes) == bool(sentence)
    assert all(sentence in note and 'a.mkv' in note for note in report.notes)


@pytest.mark.parametrize('times_ms, sentence', [
    ([7] * 6, 'no usable times'), (list(range(6)), 'come at 1,000 per second')])
def test_a_clock_that_cannot_be_is_replaced_by_a_rate_and_said(tmp_path, times_ms, sentence):
    path = written(tmp_path / 'a.mkv', times_ms)
    source = open_source(path)
    found = [frame.time_s for frame in source]
    assert np.diff(found) == pytest.approx(1 / 15)
    assert len(source.report.notes) == 1
    assert sentence in source.report.notes[0] and 'at 15 per second' in source.report.notes[0]
    assert np.diff(times(path, rate_hz=4.0)) == pytest.approx(0.25)


@pytest.mark.parametrize('rate_hz', [0.05, 1000, 90_000])
def test_a_rate_that_cannot_be_is_replaced_by_another(tmp_path, rate_hz):
    source = open_source(write_video(tmp_path / 'a.avi', 'MJPG', rate_hz, VALUES[:4]))
    assert np.diff([frame.time_s for frame in source]) == pytest.approx(1 / 15)
    assert len(source.report.notes) == 1 and 'at 15 per second' in source.report.notes[0]


@pytest.mark.parametrize('content', [b'no jpeg', jpeg(70)[:100]])
def test_a_broken_frame_is_left_out_and_named(tmp_path, content):
    frames = [(100 * index, jpeg(value)) for index, value in enumerate(VALUES)]
    frames[7] = frames[12] = frames[13] = (0, content)
    frames = [(100 * index, data) for index, (_, data) in enumerate(frames)]
    found, values, report = played(write_mkv(tmp_path / 'a.mkv', frames))
    good = [index for index in range(20) if index not in (7, 12, 13)]
    assert found == pytest.approx([0.1 * index for index in good])
    assert np.abs(np.subtract(values, [VALUES[index] for index in good])).max() <= 2
    assert report.skipped == {'frames': 3}
    assert [text.split(' of ')[0] for text in report.first_skipped] == [
        'frame 7', 'frame 12', 'frame 13']
    assert report.bad_share({'frames': 17}) == pytest.approx(0.15)


@pytest.mark.parametrize('name, code', [('a.avi', 'MJPG'), ('a.mkv', 'FFV1')])
def test_a_cut_video_is_played_to_its_readable_end(tmp_path, name, code):
    path = write_video(tmp_path / name, code, 10, VALUES)
    path.write_bytes(path.read_bytes()[:path.stat().st_size * 2 // 3])
    found, values, report = played(path)
    assert 5 < len(found) < 18
    assert found == pytest.approx([0.1 * index for index in range(len(found))])
    assert np.abs(np.subtract(values, VALUES[:len(values)])).max() <= 10
    assert len(report.notes) == 1 and 'it was cut off' in report.notes[0]


def test_frames_that_the_container_lost_are_said(tmp_path):
    path = write_video(tmp_path / 'a.avi', 'MJPG', 10, VALUES)
    data = path.read_bytes()
    # The size of a chunk that does not fit: FFmpeg searches for the next one.
    place = data.index(b'00dc', data.index(b'movi') + 5_000)
    path.write_bytes(data[:place] + b'\xff' * 8 + data[place + 8:])
    found, _, report = played(path)
    assert len(found) == 19
    assert report.notes == [f"'{path}' has 19 of the 20 frames that its header states: the others "
                            'are empty or damaged, or were cut out by an editor']


def test_a_frame_without_a_time_follows_by_a_step_for_each_frame_before_it():
    clock = VideoClock([0.0, 0.1, 0.2], 0, 15)
    assert [clock.time_s(0.0), clock.time_s(0.1)] == [0.0, 0.1]
    assert clock.time_s(0.0, missing=2) == pytest.approx(0.4)
    assert clock.time_s(0.5) == pytest.approx(0.5)


def test_a_video_without_a_readable_frame_is_one_sentence(tmp_path):
    path = write_mkv(tmp_path / 'a.mkv', [(0, b'no jpeg'), (100, b'no jpeg')])
    with pytest.raises(SourceError, match="no frame of '.*a.mkv' can be decoded"):
        list(open_source(path))


def test_a_cut_mp4_names_the_repair(tmp_path):
    path = write_video(tmp_path / 'a.mp4', 'mp4v', 10, VALUES)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(SourceError, match=r'a.mp4.*index \(moov\), which untrunc'):
        open_source(path)


@pytest.mark.parametrize('name', ['ride: day 1.mkv', 'späte Fahrt 😀.mkv', 'img_%03d.mkv'])
def test_names_are_no_protocols_or_patterns(tmp_path, monkeypatch, name):
    written(tmp_path / name, [0, 100])
    monkeypatch.chdir(tmp_path)
    assert times(Path(name)) == pytest.approx([0.0, 0.1])


def test_each_iteration_starts_at_the_beginning(tmp_path):
    source = open_source(written(tmp_path / 'a.mkv', [0, 100, 50]))
    first = [frame.time_s for frame in source]
    assert next(iter(source)).image.shape == (HEIGHT, WIDTH, 3)
    assert [frame.time_s for frame in source] == first
    assert len(source.report.notes) == 1
