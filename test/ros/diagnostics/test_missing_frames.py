# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that are missing, by the stamps of the others."""

import numpy as np
import pytest

from mfs_seg_ros.diagnostics.missing_frames import ALIKE, MIN_INTERVALS, FramePeriod

PERIOD_NS = 33_333_333
START_NS = 1_700_000_000_000_000_000


def missing(frames, period: FramePeriod | None = None) -> list[int]:
    """Return what is missing before each of some frames, given by their numbers."""
    period = period or FramePeriod()
    return [period.missing_before(START_NS + round(frame * PERIOD_NS)) for frame in frames]


def test_single_frames_and_bursts_are_counted():
    gone = {20, 41, 42, 43, 60}
    kept = [frame for frame in range(80) if frame not in gone]
    found = dict(zip(kept, missing(kept)))
    assert {frame: count for frame, count in found.items() if count} == {21: 1, 44: 3, 61: 1}


@pytest.mark.parametrize('seed', range(20))
def test_jitter_of_30_percent_is_no_loss(seed):
    jitter = np.random.default_rng(seed).uniform(-0.3, 0.3, 500)
    assert sum(missing(np.arange(500) + jitter)) == 0


def test_random_losses_are_counted_with_little_jitter():
    random = np.random.default_rng(3)
    kept = np.flatnonzero(random.random(1000) > 0.2)
    found = missing(kept + random.uniform(-0.05, 0.05, len(kept)))
    lost_later = np.diff(kept)[MIN_INTERVALS:] - 1
    assert found[MIN_INTERVALS + 1:] == lost_later.tolist()


def test_nothing_is_said_before_the_period_is_known():
    period = FramePeriod()
    early = [0, 1, 4, *range(5, 4 + MIN_INTERVALS - 2)]
    assert missing(early, period) == [0] * len(early) and period.period_s is None
    assert missing([early[-1] + 1, early[-1] + 2, early[-1] + 4], period)[-1] == 1
    assert period.period_s == pytest.approx(1 / 30)


@pytest.mark.parametrize('factor, wrong', [(3, 2 * ALIKE), (1 / 3, 0)])
def test_a_new_rate_is_learned(factor, wrong):
    period = FramePeriod()
    missing(range(50), period)
    assert sum(missing(49 + factor * np.arange(1, 61), period)) == wrong
    assert period.period_s == pytest.approx(factor / 30)
    # And losses are found at the new rate.
    assert missing([49 + factor * 62], period) == [1]


def test_a_stamp_that_goes_back_begins_anew():
    period = FramePeriod()
    missing(range(50), period)
    assert missing([3, 4, 5, 9], period) == [0] * 4
    assert period.period_s is None


def test_a_long_pause_begins_anew():
    period = FramePeriod(max_gap_s=1.0)
    missing(range(50), period)
    assert missing([49 + 31, 49 + 32], period) == [0, 0]
    assert period.period_s is None


def test_restart_forgets():
    period = FramePeriod()
    missing(range(50), period)
    period.restart()
    assert missing([500, 501], period) == [0, 0]


def test_a_camera_without_stamps_loses_nothing():
    assert missing([0] * 40) == [0] * 40
