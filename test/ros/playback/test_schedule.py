# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When frames and batches of events are sent: their moments, delays, order, and turns."""

from itertools import islice

import pytest

from mfs_seg_core.sources.items import EventBatch, Frame, due_s
from mfs_seg_ros.playback.schedule import played


def frames_at(*times: float) -> list[Frame]:
    """Return frames of these times."""
    return [Frame(None, None, time_s) for time_s in times]


def due(items) -> list[float]:
    """Return when items are due."""
    return [due_s(item) for item in items]


def test_played_at_the_times_of_the_source():
    assert due(played(frames_at(7.0, 7.5, 7.25, 9.0))) == pytest.approx([0.0, 0.5, 0.5, 2.0])


def test_played_at_a_rate():
    assert due(played(frames_at(7.0, 7.5, 9.0), rate_hz=4.0)) == pytest.approx([0.0, 0.25, 0.5])


def test_played_in_a_loop_goes_on_in_time():
    frames = played(frames_at(1.0, 1.5), loop=True)
    assert due(islice(frames, 5)) == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0])


def test_empty_source_in_a_loop_ends():
    assert due(played([], loop=True)) == []


def mixed() -> list:
    """Return a frame, two batches that are complete 5 ms after their first event, and a frame."""
    batches = [EventBatch(b'', 'evt3', 4, 4, time_s, delay_s)
               for time_s, delay_s in ((7.001, 0.004), (7.006, 0.004))]
    return [Frame(None, None, 7.0), *batches, Frame(None, None, 7.010)]


def test_events_and_frames_keep_their_distances():
    items = list(played(mixed()))
    assert [item.time_s for item in items] == pytest.approx([0.0, 0.001, 0.006, 0.010])
    assert due(items) == pytest.approx([0.0, 0.005, 0.010, 0.010])


def test_the_first_item_is_due_at_once_and_its_moment_lies_before():
    items = list(played(mixed()[1:]))
    assert [item.time_s for item in items] == pytest.approx([-0.004, 0.001, 0.005])
    assert due(items) == pytest.approx([0.0, 0.005, 0.005])


def test_moments_may_be_out_of_order_where_dues_are_in_order():
    """As in a bag: the packet's stamp is older than that of the frame recorded before it."""
    late = EventBatch(b'', 'evt3', 4, 4, 3.0, 0.020)
    items = list(played([Frame(None, None, 3.010), late]))
    assert [item.time_s for item in items] == pytest.approx([0.0, -0.010])
    assert due(items) == pytest.approx([0.0, 0.010])


def test_a_clock_that_was_set_back_goes_on():
    items = played([Frame(None, None, time_s) for time_s in (100.0, 100.5, 3.0, 3.5, 2.9, 4.0)])
    assert due(items) == pytest.approx([0.0, 0.5, 0.5, 1.0, 1.0, 1.5])


def test_turns_keep_the_distance_of_moment_and_due():
    items = list(islice(played(mixed(), loop=True), 12))
    assert due(items) == sorted(due(items))
    for item, origin in zip(items, mixed() * 3):
        assert item.delay_s == origin.delay_s
    turns = [item.time_s for item in items[::4]]
    assert turns == pytest.approx([0.0, turns[1], 2 * turns[1]]) and turns[1] > 0.010
