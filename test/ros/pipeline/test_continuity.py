# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a stream of steps breaks."""

import pytest

from mfs_seg_ros.pipeline.continuity import Break, Continuity

SECOND = 1_000_000_000


@pytest.mark.parametrize('stamp_ns, size, broken', [
    (10 * SECOND, (180, 240), None),
    (11 * SECOND, (180, 240), None),
    (11 * SECOND + 1_000_000, (180, 240),
     Break('gap', 'no image for 1.001 s (max_gap is 1 s)')),
    (9 * SECOND, (180, 240),
     Break('time went back', 'the stamp went back by 1.000 s')),
    (10 * SECOND + 1, (240, 180),
     Break('size changed', 'the size changed from 240x180 to 180x240')),
])
def test_breaks(stamp_ns, size, broken):
    continuity = Continuity(1.0)
    assert continuity.break_before(10 * SECOND, (180, 240)) is None
    assert continuity.break_before(stamp_ns, size) == broken
    assert continuity.step_s == (None if broken or stamp_ns == 10 * SECOND else 1.0)
    # What broke the stream is the start of a new one.
    assert continuity.break_before(stamp_ns + 1, size) is None


def test_images_and_events_are_one_stream():
    continuity = Continuity(1.0)
    for stamp_s, size, cause, step_s in (
        (10.0, (180, 240), 'image', None), (10.5, None, 'events', 0.5),
        (11.25, None, 'events', 0.75), (12.0, (180, 240), 'image', 0.75),
        # An image that comes after events of a later time goes back with nothing.
        (12.5, None, 'events', 0.5), (12.25, (180, 240), 'image', 0.0),
    ):
        assert continuity.break_before(int(stamp_s * SECOND), size, cause) is None
        assert continuity.step_s == step_s
    assert continuity.break_before(14 * SECOND, None, 'events').reason == (
        'no events for 1.750 s (max_gap is 1 s)')
    assert continuity.break_before(12 * SECOND, None, 'events').reason == (
        'the stamp went back by 2.000 s')
    # The size is that of the images before.
    assert continuity.break_before(int(12.5 * SECOND), (240, 180), 'image').reason == (
        'the size changed from 240x180 to 180x240')
