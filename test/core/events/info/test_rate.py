# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Event rates over time."""

import numpy as np
import pytest

from mfs_seg_core.events.info.rate import RateCounter


@pytest.mark.parametrize('span_us', [1, 90, 5000, 10**6, 10**10])
def test_rate(span_us):
    """The counts are exact, whatever the length of the bins."""
    random = np.random.default_rng(span_us)
    t = np.sort(random.integers(0, span_us, 20_000)) + 1_700_000_000_000_000
    counter = RateCounter()
    for part in np.array_split(t, 7):
        counter.add(part)
    start, end, size, counts = rate = counter.rate(100)
    assert start <= t[0] and end > t[-1] and len(counts) <= 100 and counts[0] and counts[-1]
    edges = start + size * np.arange(len(counts) + 1)
    assert np.array_equal(np.histogram(t, edges)[0] if len(counts) > 1 else [len(t)], counts)
    joined = rate.grouped(7)
    spans = np.diff([*range(start, end, 7 * size), end]) * 1e-6
    np.testing.assert_allclose(joined.per_second() * spans, joined.counts)
    assert joined.counts.sum() == 20_000


def test_rate_where_a_clock_jumps():
    counter = RateCounter()
    counter.add(np.array([5, 6, 1 << 60, 7]))
    rate = counter.rate(100)
    assert rate.counts.sum() == 4 and len(rate.counts) <= 100
