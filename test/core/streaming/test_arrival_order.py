# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Late messages, and streams that go back."""

import pytest

from mfs_seg_core.streaming.arrival_order import IN_A_ROW, Arrival, ArrivalOrder

IN_ORDER, LATE, BACK = Arrival.IN_ORDER, Arrival.LATE, Arrival.BACK


def places(times, tolerance: int = 500, overlap: int = 0) -> list[Arrival]:
    """Return the places of messages, by their times or pairs of first and last time."""
    order = ArrivalOrder(tolerance, overlap)
    return [order.follow(*time) if isinstance(time, tuple) else order.follow(time)
            for time in times]


def test_overtaken_messages_are_late():
    assert places([33, 0, 100, 66, 166, 133]) == [IN_ORDER, LATE] * 3
    assert places([160, 120, 80, 40, 0, 200]) == [IN_ORDER, LATE, LATE, LATE, LATE, IN_ORDER]


def test_equal_times_are_in_order():
    assert places([0, 0, 33, 33]) == [IN_ORDER] * 4


@pytest.mark.parametrize('behind, place', [(500, LATE), (501, BACK)])
def test_far_behind_the_stream_went_back(behind, place):
    assert places([1000, 1000 - behind])[1] is place


def test_a_stream_that_goes_on_from_there_went_back():
    """As a short bag that starts again."""
    found = places([*range(0, 300, 33), *range(0, 300, 33)])
    assert found == [IN_ORDER] * 10 + [LATE] * (IN_A_ROW - 1) + [BACK] + [IN_ORDER] * 5


def test_a_message_that_was_sent_later_is_not_late():
    assert places([1000, (900, 900, False), (950, 950, True)]) == [IN_ORDER, LATE, BACK]


def test_messages_may_overlap_a_little():
    assert places([(0, 100), (95, 200), (80, 90), (189, 300)], overlap=10) == [
        IN_ORDER, IN_ORDER, LATE, LATE]


def test_after_forgetting_any_message_is_the_first():
    order = ArrivalOrder(500)
    order.follow(1000)
    order.forget()
    assert order.follow(0) is IN_ORDER
