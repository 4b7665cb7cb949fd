# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plots of recordings: the sensor at the busiest time, and the rate."""

import sys

import cv2
import numpy as np
import pytest
from support.event_encoders import evt3

from mfs_seg_core.events.info.plot import BACKGROUND, OFF, ON, SHOWN, draw, write_plot
from mfs_seg_core.events.info.summary import summarise
from mfs_seg_core.events.recordings import open_recording
from mfs_seg_core.events.types import Events, concatenate

pyplot = pytest.importorskip(
    'matplotlib.pyplot', reason='matplotlib is not installed: pip install "mfs_seg_ros[plots]"')
from matplotlib.colors import to_hex  # noqa: E402


@pytest.fixture(scope='module')
def recording(tmp_path_factory):
    """100 events at 10 pixels after 0.5 s, first ON then OFF, and one event before and after."""
    busy = Events(np.arange(100) * 10 + 500_000, np.arange(100, dtype=np.uint16) % 10 + 40,
                  np.full(100, 30, np.uint16), np.arange(100) % 10 < 5)
    few = Events(np.array([0, 999_999]), *np.full((2, 2), 7, np.uint16), np.ones(2, bool))
    events = concatenate([few.where(slice(1)), busy, few.where(slice(1, 2))])
    path = tmp_path_factory.mktemp('plot') / 'a.raw'
    path.write_bytes(b'% evt 3.0\n% geometry 96x60\n' + evt3(events))
    return open_recording(path)


@pytest.fixture(scope='module')
def figure(recording):
    figure = draw(recording, *summarise(recording))
    yield figure
    pyplot.close(figure)


def test_sensor(figure):
    """The last event of a pixel colours it, at the busiest time; the background is grey."""
    sensor, _ = figure.axes
    expected = np.full((60, 96, 3), BACKGROUND)
    expected[30, 40:45], expected[30, 45:50] = ON, OFF
    assert np.array_equal(sensor.images[0].get_array(), expected)
    assert (sensor.get_xlabel(), sensor.get_ylabel()) == ('column in pixels', 'row in pixels')
    assert [text.get_text() for text in sensor.get_legend().texts] == [
        'ON (brighter)', 'OFF (darker)']


def test_rate(figure):
    """All events are in the bars, and those of the sensor in the highlighted ones."""
    _, chart = figure.axes
    # Seconds times thousands of events per second.
    counts = [1e3 * bar.get_width() * bar.get_height() for bar in chart.patches]
    shown = [to_hex(bar.get_facecolor()) == SHOWN for bar in chart.patches]
    assert sum(counts) == pytest.approx(102)
    assert np.dot(counts, shown) == pytest.approx(100)
    assert all(0.49 < bar.get_x() < 0.51 for bar, is_shown in zip(chart.patches, shown) if is_shown)
    assert (chart.get_xlabel(), chart.get_ylabel()) == (
        'time since the first event in s', 'rate in kev/s')


def test_titles(figure):
    sensor, _ = figure.axes
    assert figure.get_suptitle() == 'a.raw: evt3, 96x60, 102 events in 999.999 ms'
    assert sensor.get_title('left').startswith('100 events in 0.991 ms, starting ')


@pytest.mark.parametrize('size', [(1, 1), (2047, 1), (20, 2047)])
def test_sizes_of_sensors(tmp_path, size):
    """Plots of small, wide and high sensors have a readable size."""
    path = tmp_path / 'a.raw'
    path.write_bytes(b'%% evt 3.0\n%% geometry %dx%d\n' % size
                     + evt3(Events(np.array([5]), *np.zeros((2, 1), np.uint16), np.ones(1, bool))))
    recording = open_recording(path)
    write_plot(tmp_path / 'a.png', recording, *summarise(recording))
    height, width, _ = cv2.imread(str(tmp_path / 'a.png')).shape
    assert 900 < width < 1500 and 400 < height < 1400


def test_unknown_format(tmp_path, recording):
    with pytest.raises(ValueError, match=r"a.x' cannot be written \(unknown format\): give a file"):
        write_plot(tmp_path / 'a.x', recording, *summarise(recording))
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib(monkeypatch, tmp_path, recording):
    monkeypatch.setitem(sys.modules, 'matplotlib', None)
    with pytest.raises(ValueError, match="matplotlib, of the extra 'plots'"):
        write_plot(tmp_path / 'a.png', recording, *summarise(recording))
