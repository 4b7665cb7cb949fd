# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a stream of frames breaks."""

import pytest

from mfs_seg_ros.continuity import Continuity

SECOND = 1_000_000_000


@pytest.mark.parametrize('stamp_ns, size, reason', [
    (10 * SECOND, (180, 240), None),
    (11 * SECOND, (180, 240), None),
    (11 * SECOND + 1_000_000, (180, 240), 'no image for 1.001 s (max_gap is 1 s)'),
    (9 * SECOND, (180, 240), 'the stamp went back by 1.000 s'),
    (10 * SECOND + 1, (240, 180), 'the size changed from 240x180 to 180x240'),
])
def test_breaks(stamp_ns, size, reason):
    continuity = Continuity(1.0)
    assert continuity.break_before(10 * SECOND, (180, 240)) is None
    assert continuity.break_before(stamp_ns, size) == reason
    assert continuity.step_s == (None if reason or stamp_ns == 10 * SECOND else 1.0)
    # What broke the stream is the start of a new one.
    assert continuity.break_before(stamp_ns + 1, size) is None
