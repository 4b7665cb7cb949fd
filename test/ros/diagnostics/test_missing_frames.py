# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that are missing, by the stamps of the others; streams whose stamps say nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfs_seg_ros.diagnostics.missing_frames import BLOCK, LOOKAHEAD, MissingFrames

# The same examples in each run.
RANDOM = dict(deadline=None, database=None, derandomize=True)
PERIOD_S = 1 / 30
START_NS = 1_700_000_000_123_456_789
# Frames whose intervals are not decided yet.
OPEN = LOOKAHEAD + BLOCK


def missing(times_s, counter: MissingFrames | None = None) -> int:
    """Return what is missing of frames that arrive in the order of these stamps."""
    counter = counter or MissingFrames(1.0)
    return sum(counter.add(START_NS + round(1e9 * time_s)) for time_s in times_s)


def lost_before(kept: np.ndarray, count: int = OPEN) -> int:
    """Return how many frames are really missing, but for those at the end."""
    return int(np.sum(np.diff(kept[:len(kept) - count]) - 1))


def between(found: int, kept: np.ndarray, tolerance: float = 0.05) -> bool:
    """Return whether a count is that of the real losses, within a share and the open frames."""
    least, most = lost_before(kept), lost_before(kept, 0)
    return (1 - tolerance) * least - 2 <= found <= (1 + tolerance) * most + 2


def test_each_loss_is_counted_once_a_few_frames_later():
    counter = MissingFrames(1.0)
    gone = {20, 41, 42, 43, 60}
    found = {frame: counter.add(START_NS + round(frame * 1e9 / 30))
             for frame in range(100) if frame not in gone}
    assert sum(found.values()) == len(gone)
    for frame, before in ((60, 4), (80, 5)):
        assert sum(count for at, count in found.items() if at <= frame + OPEN) >= before


@given(rate=st.floats(5, 120), jitter=st.floats(0, 0.5), seed=st.integers(0, 2**32 - 1),
       ordered=st.booleans(), uniform=st.booleans())
@settings(max_examples=60, **RANDOM)
def test_no_frame_is_missing_where_all_came(rate, jitter, seed, ordered, uniform):
    """Whatever the jitter; ``jitter`` is its standard deviation in periods."""
    random = np.random.default_rng(seed)
    noise = (random.uniform(-1.7, 1.7, 300) if uniform else random.normal(0, 1, 300)) * jitter
    times_s = (np.arange(300) + noise) / rate
    assert missing(np.sort(times_s) if ordered else times_s) == 0


@given(rate=st.floats(5, 120), jitter=st.floats(0, 0.08), share=st.floats(0, 0.5),
       seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, **RANDOM)
def test_random_losses_are_counted(rate, jitter, share, seed):
    random = np.random.default_rng(seed)
    kept = np.flatnonzero(random.random(600) >= share)
    times_s = (kept + jitter * random.normal(0, 1, len(kept))) / rate
    # While the share is far from half, nearly all; windows of too many losses are left out.
    assert between(missing(np.sort(times_s), MissingFrames(100.0)), kept,
                   0.05 if share < 0.3 else 0.25)


@given(rate=st.floats(5, 120), jitter=st.floats(0, 0.05), length=st.integers(1, 10),
       every=st.integers(60, 200), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, **RANDOM)
def test_bursts_of_losses_are_counted(rate, jitter, length, every, seed):
    random = np.random.default_rng(seed)
    frames = np.arange(900)
    kept = frames[frames % every >= length]
    times_s = (kept + jitter * random.normal(0, 1, len(kept))) / rate
    assert between(missing(np.sort(times_s), MissingFrames(100.0)), kept, 0.2)


@pytest.mark.parametrize('each', [3, 4, 10])
def test_each_nth_frame_is_missing(each):
    frames = np.arange(600)
    kept = frames[frames % each != 1]
    assert between(missing(kept * PERIOD_S), kept)


def test_jitter_of_a_third_of_the_period_hides_losses_but_invents_none():
    random = np.random.default_rng(0)
    kept = np.flatnonzero(random.random(3000) > 0.1)
    found = missing(np.sort(kept * PERIOD_S + random.normal(0, 0.01, len(kept))))
    assert found <= 0.01 * lost_before(kept)


@given(size=st.integers(2, 30), spacing=st.floats(0.0003, 0.012), jitter=st.floats(0, 0.0001))
@settings(max_examples=40, **RANDOM)
def test_bursts_and_pairs_are_no_losses(size, spacing, jitter):
    """Frames that arrive close together, and then none for a while: nothing is missing."""
    index = np.arange(600)
    spacing = min(spacing, 0.3 * PERIOD_S)
    times_s = index // size * size * PERIOD_S + index % size * spacing
    times_s = times_s + np.random.default_rng(size).uniform(-jitter, jitter, len(index))
    assert missing(np.sort(times_s)) == 0


@pytest.mark.parametrize('resolution_s', [1.0, 0.1, 0.05, 0.02])
def test_coarse_stamps_say_nothing(resolution_s):
    times_s = np.floor(np.arange(900) * PERIOD_S / resolution_s) * resolution_s
    counter = MissingFrames(1.0)
    assert sum(counter.add(1_700_000_000_000_000_000 + round(1e9 * each)) for each in times_s) == 0


@pytest.mark.parametrize('rate', [0.7, 0.9, 1.5])
def test_whole_seconds_of_a_slow_camera_say_nothing(rate):
    counter = MissingFrames(5.0)
    assert sum(counter.add(int(1_700_000_000 + index / rate) * 10**9) for index in range(200)) == 0


@pytest.mark.parametrize('other', [5, 7.5, 10, 15, 20, 24, 25, 29, 40, 60])
def test_a_changed_rate_is_no_loss(other):
    parts_s, end_s = [], 0.0
    for rate in (30, other) * 3:
        parts_s.append(end_s + np.arange(150) / rate)
        end_s += 150 / rate
    assert missing(np.concatenate(parts_s)) == 0


def test_losses_are_counted_at_a_new_rate():
    kept = np.flatnonzero(np.arange(400) % 10 != 5)
    times_s = np.concatenate([np.arange(200) / 30, 200 / 30 + kept / 12])
    assert between(missing(times_s), kept)


def test_frames_that_wait_and_come_together_are_not_missing():
    times_s = np.arange(900) * PERIOD_S
    for start in range(100, 900, 150):
        # All that were taken while the link stood still.
        held = (times_s >= times_s[start]) & (times_s < times_s[start] + 0.13)
        times_s[held] = times_s[start] + 0.13 + 0.002 * np.arange(np.count_nonzero(held))
    assert missing(np.sort(times_s)) == 0


def test_frames_out_of_order_are_not_missing():
    pairs = np.arange(400).reshape(-1, 2)[:, ::-1].ravel()
    assert missing(pairs * PERIOD_S) == 0
    assert missing(np.arange(400).reshape(-1, 5)[:, ::-1].ravel() * PERIOD_S) == 0


def test_frames_reported_lost_are_not_missing_again():
    counter = MissingFrames(1.0)
    frames = np.arange(300)
    found = 0
    for frame in frames[frames % 10 != 5]:
        if frame % 20 == 6:
            counter.lost(1)
        found += counter.add(START_NS + round(frame * 1e9 / 30))
    # Of each two losses, one was reported.
    assert 13 <= found <= 16


def test_another_stream_is_learned_again():
    counter = MissingFrames(1.0)
    missing(np.arange(60) * PERIOD_S, counter)
    # Back in time, after a pause, and where frames were ignored.
    assert missing(np.arange(60) * PERIOD_S - 100, counter) == 0
    assert missing(np.arange(60) * PERIOD_S + 100, counter) == 0
    counter.restart()
    assert missing(np.arange(60) * PERIOD_S + 102.4, counter) == 0


def test_a_camera_without_stamps_loses_nothing():
    assert missing([0.0] * 40) == 0


@given(st.lists(st.one_of(st.integers(0, 3 * 10**9), st.sampled_from([0, 1, 33_333_333])),
                min_size=30, max_size=200), st.booleans())
@settings(max_examples=60, **RANDOM)
def test_any_stamps_can_be_followed(numbers, are_steps):
    """Whole numbers of any order and distance, or their sums."""
    counter = MissingFrames(1.0)
    stamps = np.cumsum(numbers) if are_steps else numbers
    assert all(counter.add(int(stamp)) >= 0 for stamp in stamps)
