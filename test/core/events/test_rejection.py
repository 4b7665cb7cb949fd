# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Share of rejected events, and its cause in words."""

import pytest

from mfs_seg_core.events.rejection import rejection


def test_a_share_within_the_limit_is_not_mentioned():
    assert rejection({'outside the sensor': 1}, accepted=99) == ''
    assert rejection({}, accepted=0) == ''


@pytest.mark.parametrize('cause', ['outside the sensor', 'time went back', 'before the start'])
def test_a_larger_share_of_any_cause_is_named(cause):
    assert rejection({cause: 2}, accepted=98).startswith(
        f'2% of the events were rejected, mainly {cause} (2 of 100): ')


def test_faults_that_do_not_count_events_are_ignored():
    assert rejection({'cut word': 50, 'missing messages': 50}, accepted=100) == ''


def test_share_cause_and_remedy():
    assert rejection({'outside the sensor': 40_000, 'time went back': 1}, accepted=19_999) == (
        '67% of the events were rejected, mainly outside the sensor (40,000 of 60,000): give the '
        'size of the sensor')
