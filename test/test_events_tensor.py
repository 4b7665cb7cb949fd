# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events, windows of them, and their counts by pixel, time bin and polarity."""

import subprocess
import sys

import numpy as np
import pytest
from event_trees import random_events

from mfs_seg_core.events.tensor import count_events
from mfs_seg_core.events.types import Events, Window

NONE = Events(np.zeros(0, np.int64), np.zeros(0, np.uint16), np.zeros(0, np.uint16),
              np.zeros(0, bool))


def events_of(*rows: tuple[int, int, int, int]) -> Events:
    t, x, y, p = zip(*rows)
    return Events(np.array(t, np.int64), np.array(x, np.uint16), np.array(y, np.uint16),
                  np.array(p, bool))


def test_layout():
    counts = count_events(events_of((0, 0, 0, 0), (1, 2, 0, 1), (5, 2, 1, 1), (6, 2, 1, 1),
                                    (9, 2, 1, 0)), 2, 3, 2, (0, 10))
    expected = np.zeros((2, 3, 4), np.float32)
    expected[0, 0, 0] = 1  # bin 0, darker
    expected[0, 2, 1] = 1  # bin 0, brighter
    expected[1, 2, 3] = 2  # bin 1, brighter
    expected[1, 2, 2] = 1  # bin 1, darker
    assert counts.dtype == np.float32 and np.array_equal(counts, expected)


@pytest.mark.parametrize('size', [(1, 1), (5, 3), (346, 200)])
@pytest.mark.parametrize('bins', [1, 3, 7])
@pytest.mark.parametrize('start', [-1000, 0, 1_600_000_000_000_000])
def test_counts_as_one_by_one(size, bins, start):
    width, height = size
    events = random_events(2000, 997, size)
    events = events._replace(t=events.t + start)
    expected = np.zeros((height, width, 2 * bins), np.float32)
    for t, x, y, p in zip(*(field.tolist() for field in events)):
        expected[y, x, 2 * ((t - start) * bins // 997) + p] += 1
    assert np.array_equal(count_events(events, height, width, bins, (start, start + 997)), expected)


@pytest.mark.parametrize('start', [0, 1_600_000_000_000_000])
def test_borders_of_bins(start):
    """An event on a border is the later bin's; one microsecond before, it is the earlier's."""
    span = (start, start + 30)
    for t, expected in ((0, 0), (9, 0), (10, 1), (19, 1), (20, 2), (29, 2)):
        counts = count_events(events_of((start + t, 0, 0, 1)), 1, 1, 3, span)
        assert counts.ravel().tolist() == [float(c == 2 * expected + 1) for c in range(6)], t


def test_without_span_first_and_last_count():
    counts = count_events(events_of((100, 0, 0, 1), (103, 0, 0, 1), (107, 0, 0, 1)), 1, 1, 2)
    assert counts.ravel().tolist() == [0, 2, 0, 1]
    assert count_events(events_of((7, 0, 0, 0)), 1, 1, 4).ravel().tolist() == [1] + [0] * 7


@pytest.mark.parametrize('span', [None, (5, 10)])
def test_empty_window(span):
    counts = count_events(NONE, 4, 6, 5, span)
    assert counts.shape == (4, 6, 10) and counts.dtype == np.float32 and not counts.any()


@pytest.mark.parametrize('event, message', [
    ((10, 0, 0, 0), 'not all in the span'), ((4, 0, 0, 0), 'not all in the span'),
    ((5, 3, 0, 0), r'pixel \(3, 0\), outside 3x2'), ((5, 0, 2, 0), r'pixel \(0, 2\), outside 3x2')])
def test_events_outside_are_refused(event, message):
    with pytest.raises(ValueError, match=message):
        count_events(events_of(event), 2, 3, 1, (5, 10))


@pytest.mark.parametrize('bins, span', [(0, (0, 1)), (1, (5, 5)), (1, (6, 5))])
@pytest.mark.parametrize('events', [NONE, events_of((5, 0, 0, 0))])
def test_nothing_to_count_into(bins, span, events):
    with pytest.raises(ValueError, match='at least one bin is needed'):
        count_events(events, 2, 3, bins, span)


@pytest.mark.parametrize('given', [{}, {'us': 5, 'events': 5}, {'us': 0}, {'events': -1}])
def test_window_is_of_time_or_number(given):
    with pytest.raises(ValueError, match='a time or a number'):
        Window(**given)


def test_window():
    assert Window(events=3).first(10, since=None) == 7
    assert Window(events=30).first(10, since=None) == 0
    assert Window(us=50).first(10, since={50: 4}.get) == 4
    assert Window(us=50).first(10, since={50: 12}.get) == 10


def test_import_is_cheap():
    loaded = subprocess.run(
        [sys.executable, '-c', 'import sys; import mfs_seg_core.events.tensor, '
         'mfs_seg_core.events.hdf5; print(*sys.modules)'],
        capture_output=True, text=True, check=True, timeout=60).stdout.split()
    assert 'mfs_seg_core.events.hdf5' in loaded
    assert not {'torch', 'cv2', 'h5py', 'hdf5plugin'} & set(loaded)
