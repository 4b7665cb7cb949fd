# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latencies, and the jumps of clocks across which there are none."""

import pytest

from mfs_seg_ros.pipeline import latency as module
from mfs_seg_ros.pipeline.latency import OTHER_CLOCK_S, SETTLE_S, Latency

SECOND = 1_000_000_000


class Clocks:
    """The steady clock, and the system's clock ahead of it."""

    def __init__(self):
        self.now_s, self.ahead_s = 1000.0, 1e9

    def monotonic(self) -> float:
        return self.now_s

    def time(self) -> float:
        return self.now_s + self.ahead_s

    def now_ns(self) -> int:
        return round(self.time() * SECOND)


@pytest.fixture
def clocks(monkeypatch):
    """Return clocks that the test sets."""
    clocks = Clocks()
    monkeypatch.setattr(module, 'time', clocks)
    return clocks


def test_latency_is_the_time_since_the_stamp(clocks):
    latency = Latency(clocks.now_ns)
    stamp_ns = clocks.now_ns()
    clocks.now_s += 0.25
    assert latency.since(stamp_ns) == pytest.approx(0.25)
    # A stamp ahead is one: the clocks of two machines differ.
    assert latency.since(clocks.now_ns() + SECOND) == pytest.approx(-1.0)
    assert latency.since(clocks.now_ns() - round(OTHER_CLOCK_S + 1) * SECOND) is None


def test_a_reported_jump_hides_the_latencies_for_a_while(clocks):
    latency = Latency(clocks.now_ns)
    stamp_ns = clocks.now_ns()
    latency.clock_jumped()
    assert latency.since(stamp_ns) is None
    clocks.now_s += SETTLE_S
    assert latency.since(clocks.now_ns()) == pytest.approx(0)


@pytest.mark.parametrize('step_s', [-20.0, 20.0])
def test_a_step_of_the_system_s_clock_is_found(clocks, step_s):
    latency = Latency(clocks.now_ns)
    stamp_ns = clocks.now_ns()
    clocks.ahead_s += step_s
    assert latency.since(stamp_ns) is None
    clocks.now_s += 2 * SETTLE_S
    assert latency.since(clocks.now_ns()) == pytest.approx(0)


def test_a_clock_that_is_corrected_slowly_is_no_jump(clocks):
    latency = Latency(clocks.now_ns)
    for _ in range(100):
        stamp_ns = clocks.now_ns()
        clocks.now_s += 0.1
        clocks.ahead_s += 0.01
        assert latency.since(stamp_ns) == pytest.approx(0.11, abs=1e-5)
