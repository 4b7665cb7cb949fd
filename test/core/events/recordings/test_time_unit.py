# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Units of times by name, rate, ticks and magnitude."""

import numpy as np
import pytest

from mfs_seg_core.events.recordings.time_unit import microseconds, unit_by_values, unit_of

RANDOM = np.random.default_rng(0)


def times(rate: float, count: int = 1000) -> np.ndarray:
    """Return times in whole microseconds at a rate in events a second."""
    return np.sort(RANDOM.integers(0, round(count / rate * 1e6) + 1, count))


@pytest.mark.parametrize('name, unit', [
    ('t', ''), ('ts', ''), ('timestamps', ''), ('t_us', 'us'), ('Time [µs]', 'us'),
    ('timestamp(ns)', 'ns'), ('t (ms)', 'ms'), ('time_sec', 's'), ('time/s', 's'), ('stamps', '')])
def test_unit_of_a_name(name, unit):
    assert unit_of(name) == unit


@pytest.mark.parametrize('t, unit', [
    # Whole numbers: microseconds at usual rates, of any start.
    (times(5e3), 'us'), (times(1e6), 'us'), (times(1e8), 'us'), (times(5e4) + 10**10, 'us'),
    # Nanoseconds of a clock of microseconds; doubt where both rates can be.
    (times(2e4) * 1000, 'ns'), (times(9e4) * 1000, 'ns'), (times(3e5) * 1000, ''),
    (times(5e6) * 1000, ''), (times(300), ''),
    # Since 1970.
    (times(1e5) + 1_700_000_000_000_000, 'us'), (times(200) + 1_700_000_000_000_000, 'us'),
    (times(1e5) * 1000 + 1_700_000_000_000_000_000, 'ns'),
    (times(1e5) // 1000 + 1_700_000_000_000, 'ms'),
    # Or microseconds since the start of a computer.
    (times(5e6) + 1_700_000_000_000, ''),
    # Too many events a second for microseconds.
    (times(1e6, 10_000) // 1000, 'ms'),
    # With decimals: seconds, or milliseconds of a clock of microseconds.
    (times(5e4) / 1e6, 's'), (times(300) / 1e6, 's'), (times(5e4) / 1e6 + 1.7e9, 's'),
    (times(5e4) / 1e3, 'ms'), (times(5e3) / 1e3, 'ms'), (np.arange(1000) / 500, ''),
    # As floats.
    (times(1e5).astype(float), 'us'),
    # Too few for a rate.
    (np.array([5, 9]), 'us'), (np.array([0.5, 0.9]), 's'), (np.zeros(1000, np.int64), 'us'),
    (np.empty(0), 'us')])
def test_unit_by_values(t, unit):
    assert unit_by_values(t) == unit


def test_damaged_times_do_not_count():
    t = times(1e5)
    t[[3, 500]] = 1 << 60, -(1 << 60)
    assert unit_by_values(t) == 'us'


def test_microseconds():
    assert microseconds(np.array([1999, -1], np.int32), 'ns').tolist() == [1, -1]
    assert microseconds(np.array([1.9996], np.float32), 'ms').tolist() == [2000]
    assert microseconds(np.array([3], np.uint8), 's').tolist() == [3_000_000]
    for bad in (np.nan, np.inf, 1e19):
        with pytest.raises(ValueError, match='is out of range: check the unit'):
            microseconds(np.array([0, bad]), 'us')
