# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches hold all events once, a few milliseconds each, and come when they are complete."""

import numpy as np
import pytest
from support.evt3_words import HEIGHT, WIDTH, decode, events_at

from mfs_seg_core.sources.packetize import batches

TIMES = np.sort(np.random.default_rng(3).integers(1_000, 16_000_000, 3000))


@pytest.mark.parametrize('batch_us', [1000, 5000, 7000, 100_000])
def test_batches_are_the_events(batch_us):
    events = events_at(TIMES)
    found = list(batches(events, WIDTH, HEIGHT, batch_us))
    parts = [decode([batch.data]) for batch in found]
    for name in ('t', 'x', 'y', 'p'):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(joined, getattr(events, name))
    for batch, part in zip(found, parts):
        assert (batch.encoding, batch.width, batch.height) == ('evt3', WIDTH, HEIGHT)
        assert batch.time_s == pytest.approx(part.t[0] / 1e6, abs=1e-9)
        complete_us = (batch.time_s + batch.delay_s) * 1e6
        assert part.t[-1] < complete_us <= part.t[0] + batch_us + 1e-3
        assert complete_us % batch_us == pytest.approx(0, abs=1e-3) or (
            complete_us % batch_us == pytest.approx(batch_us, abs=1e-3))


def test_the_last_batch_ends_with_the_window():
    last = list(batches(events_at([20_100, 24_900, 25_100]), WIDTH, HEIGHT, 5000, 27_000))[-1]
    assert last.time_s + last.delay_s == pytest.approx(0.027)


def test_no_events_are_no_batch():
    assert list(batches(events_at([]), WIDTH, HEIGHT, 5000)) == []
    assert len(list(batches(events_at([0, 60_000_000]), WIDTH, HEIGHT, 5000))) == 2
