# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Share of rejected events of a stream that runs."""

from mfs_seg_ros.diagnostics.rejected_events import LEAST_EVENTS, RejectedEvents


def test_the_share_is_that_of_the_events_since_the_last_judgement():
    events = RejectedEvents()
    assert events.judge({'outside the sensor': 0, 'cut word': 9}, LEAST_EVENTS) == ''
    # Too few to judge: they count at the next judgement.
    assert events.judge({'outside the sensor': 300}, LEAST_EVENTS + 300) is None
    assert events.judge({'outside the sensor': 600}, LEAST_EVENTS + 600) == (
        '50% of the events were rejected, mainly outside the sensor (600 of 1,200): give the size '
        'of the sensor')
    assert events.judge({'outside the sensor': 600}, 10 * LEAST_EVENTS) == ''
