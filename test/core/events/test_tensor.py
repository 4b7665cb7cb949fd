# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Event tensors, windows and pixel maps."""

import numpy as np
import pytest
import torch
from support.event_trees import random_events

from mfs_seg_core.events.device_tensor import event_tensor_on
from mfs_seg_core.events.pixel_map import PixelMap
from mfs_seg_core.events.tensor import EventWindow, _counts, _counts_by_numpy, event_tensor
from mfs_seg_core.events.types import Events, Window


def events_of(*rows: tuple[int, int, int, int]) -> Events:
    t, x, y, p = zip(*rows)
    return Events(np.array(t, np.int64), np.array(x, np.uint16), np.array(y, np.uint16),
                  np.array(p, bool))


def windowed(*rows: tuple[int, int, int, int], span=(0, 10), size=(3, 2), pixel_map=None):
    return EventWindow(events_of(*rows) if rows else Events.empty(), *span, size, pixel_map)


def test_layout():
    """Two bins: events at the start count in the first, events at the end in the second."""
    tensor = event_tensor(windowed((0, 0, 0, 0), (1, 2, 0, 1), (5, 2, 1, 1), (5, 2, 1, 1),
                                   (9, 2, 1, 0)), 2, 3, 2)
    expected = np.zeros((4, 2, 3))
    expected[0, 0, 0] = 1  # OFF, at the start
    expected[1, 0, 2], expected[3, 0, 2] = 0.9, 0.1  # ON, at a tenth of the window
    expected[1, 1, 2] = expected[3, 1, 2] = 1  # two ON, in the middle
    expected[0, 1, 2], expected[2, 1, 2] = 0.1, 0.9
    assert tensor.dtype == np.float32 and tensor.shape == (4, 2, 3)
    np.testing.assert_allclose(np.expm1(tensor), expected, atol=1e-6)


@pytest.mark.parametrize('cells', [(1, 1), (5, 3), (31, 20), (100, 70)])
@pytest.mark.parametrize('bins', [1, 2, 5])
@pytest.mark.parametrize('start', [-1000, 0, 1_600_000_000_000_000])
def test_all_ways_agree_with_the_formula(cells, bins, start):
    """The Numba kernel, NumPy without Numba, and torch as on a GPU."""
    events = random_events(2000, 997, (31, 20))
    window = EventWindow(events._replace(t=events.t + start), start, start + 997, (31, 20))
    width, height = cells
    expected = np.zeros((2 * bins, height, width))
    for t, x, y, p in zip(*(field.tolist() for field in events)):
        place = t / 997 * (bins - 1)
        for b in range(bins):
            expected[2 * b + p, int((y + 0.5) / 20 * height), int((x + 0.5) / 31 * width)] += max(
                0.0, 1 - abs(place - b))
    expected = np.log1p(expected / max(1, 31 * 20 / (width * height)))
    np.testing.assert_allclose(event_tensor(window, bins, width, height), expected, atol=1e-5)
    np.testing.assert_allclose(
        event_tensor_on(torch.device('cpu'), window, bins, width, height), expected, atol=1e-5)
    cells = PixelMap.scaling((31, 20)).cells(width, height)
    np.testing.assert_allclose(_counts_by_numpy(window, bins, cells, width * height),
                               _counts(window, bins, cells, width * height), rtol=1e-5)


def test_corners():
    """Each corner of the sensor lies in the same corner of the grid."""
    corners = [(0, 0), (1279, 0), (0, 719), (1279, 719)]
    for x, y in corners:
        tensor = event_tensor(windowed((0, x, y, 1), size=(1280, 720)), 1, 240, 180)
        assert np.argwhere(tensor[1]).tolist() == [[179 if y else 0, 239 if x else 0]]


def test_each_pixel_counts_once():
    y, x = np.divmod(np.arange(1280 * 720), 1280)
    every = Events(np.zeros(x.size, np.int64), x.astype(np.uint16), y.astype(np.uint16),
                   np.ones(x.size, bool))
    tensor = event_tensor(EventWindow(every, 0, 1, (1280, 720)), 1, 240, 180)
    # Cells have different numbers of pixels, but one event per pixel on average.
    assert np.expm1(tensor[1]).mean() == pytest.approx(1)
    assert not tensor[0].any()


def test_empty_window():
    tensor = event_tensor(windowed(), 5, 6, 4)
    assert tensor.shape == (10, 4, 6) and tensor.dtype == np.float32 and not tensor.any()


@pytest.mark.parametrize('event, message', [
    ((10, 0, 0, 0), 'not all in the window'), ((4, 0, 0, 0), 'not all in the window'),
    ((5, 3, 0, 0), r'pixel \(3, 0\), outside 3x2'), ((5, 0, 2, 0), r'pixel \(0, 2\), outside 3x2')])
def test_events_outside(event, message):
    window = windowed(event, span=(5, 10))
    cells = PixelMap.scaling((3, 2)).cells(3, 2)
    for make in (lambda: event_tensor(window, 1, 3, 2),
                 lambda: event_tensor_on(torch.device('cpu'), window, 1, 3, 2),
                 lambda: _counts_by_numpy(window, 1, cells, 6)):
        with pytest.raises(ValueError, match=message):
            make()


@pytest.mark.parametrize('span', [(5, 5), (6, 5)])
def test_window_without_duration(span):
    with pytest.raises(ValueError, match='has no duration'):
        windowed(span=span)


def test_map_of_another_sensor():
    with pytest.raises(ValueError, match='for a sensor of 4x4 pixels, the events come from one of'):
        windowed(pixel_map=PixelMap.scaling((4, 4)))


def test_homography():
    """A shift by two pixels to the right; events outside the frame are left out."""
    shift = PixelMap.homography(np.array([[1, 0, 2], [0, 1, 0], [0, 0, 1]]), (4, 1), (4, 1))
    tensor = event_tensor(windowed((0, 0, 0, 1), (1, 3, 0, 1), size=(4, 1), pixel_map=shift),
                          1, 4, 1)
    assert np.argwhere(tensor[1]).tolist() == [[0, 2]]


def test_rectification_table():
    table = np.full((1, 3, 2), np.nan)
    table[0, 0], table[0, 2] = (7, 0), (0, 0)
    pixel_map = PixelMap.rectification(table, (8, 1))
    tensor = event_tensor(windowed((0, 0, 0, 1), (1, 1, 0, 1), (2, 2, 0, 0), size=(3, 1),
                                   pixel_map=pixel_map), 1, 8, 1)
    assert np.argwhere(tensor[1]).tolist() == [[0, 7]]
    assert np.argwhere(tensor[0]).tolist() == [[0, 0]]


@pytest.mark.parametrize('make, message', [
    (lambda: PixelMap(np.zeros((3, 2))), r'is \[H, W, 2\], not \[3, 2\]'),
    (lambda: PixelMap.homography(np.zeros((3, 3)), (4, 4), (4, 4)), 'determinant other than 0'),
    (lambda: PixelMap.homography(np.eye(2), (4, 4), (4, 4)), '3x3 numbers'),
    (lambda: PixelMap.rectification(np.full((2, 2, 2), 99.0), (4, 4)), 'no pixel of the event')])
def test_invalid_maps(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize('given', [{}, {'us': 5, 'events': 5}, {'us': 0}, {'events': -1}])
def test_window_is_a_duration_or_a_number(given):
    with pytest.raises(ValueError, match='a duration or a number'):
        Window(**given)


def test_window():
    assert Window(events=3).first(10, since=None) == 7
    assert Window(events=30).first(10, since=None) == 0
    assert Window(us=50).first(10, since={50: 4}.get) == 4
    assert Window(us=50).first(10, since={50: 12}.get) == 10
