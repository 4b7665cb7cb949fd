# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The time of an event camera, mapped to ROS time."""

import numpy as np
import pytest

from mfs_seg_core.streaming.sensor_clock import SensorClock

EPOCH_NS = 1_700_000_000_123_456_789
MS_NS = 1_000_000


def test_the_first_packet_gives_the_first_estimate():
    clock = SensorClock()
    assert not clock.started
    clock.update(12_345, EPOCH_NS)
    assert clock.started
    assert clock.to_ros_ns(12_345) == EPOCH_NS
    # To the nanosecond: doubles would be wrong by a hundred.
    assert clock.to_ros_ns(12_346) == EPOCH_NS + 1000
    assert clock.to_sensor_us(EPOCH_NS - 5000) == 12_340


def test_both_ways_agree():
    clock = SensorClock()
    rng = np.random.default_rng(0)
    for index in range(100):
        clock.update(10_000 * index, EPOCH_NS + 10 * MS_NS * index + int(rng.integers(0, MS_NS)))
    for us in (0, 1, 999_999, 10_000_000):
        assert clock.to_sensor_us(clock.to_ros_ns(us)) in (us - 1, us)


def test_jitter_is_smoothed_and_the_mean_is_found():
    clock = SensorClock()
    rng = np.random.default_rng(1)
    # The first packet is late, as one is that was sent while all was starting.
    clock.update(0, EPOCH_NS + 20 * MS_NS)
    errors = []
    for index in range(1, 3000):
        us = 10_000 * index
        late_ns = int(rng.uniform(0, 4 * MS_NS))
        clock.update(us, EPOCH_NS + us * 1000 + late_ns)
        errors.append((clock.to_ros_ns(us) - EPOCH_NS) / 1000 - us)
    # 2 ms late in the mean; the rest of 1.2 ms of jitter is 20 times smaller.
    settled = np.array(errors[1500:])
    assert settled.mean() == pytest.approx(2000, abs=100)
    assert settled.std() < 150
    assert errors[100] > errors[400] > errors[1000]


def test_drift_is_followed():
    clock = SensorClock()
    for index in range(6000):
        us = 10_000 * index
        # A quartz that is wrong by 100 millionths.
        clock.update(us, EPOCH_NS + round(us * 1000 * 1.0001))
    assert clock.to_ros_ns(us) - EPOCH_NS == pytest.approx(us * 1000 * 1.0001, abs=0.3 * MS_NS)


def test_pace_of_packets_does_not_matter():
    offsets = []
    for step_us in (1000, 20_000):
        clock = SensorClock()
        for us in range(0, 2_000_001, step_us):
            clock.update(us, EPOCH_NS + us * 1000 + (10 * MS_NS if us else 0))
        offsets.append(clock.to_ros_ns(0) - EPOCH_NS)
    assert offsets[0] == pytest.approx(10 * MS_NS * (1 - np.exp(-1)), rel=0.01)
    assert offsets[1] == pytest.approx(offsets[0], rel=0.01)


@pytest.mark.parametrize('jump_ns', [-3600 * 10**9, -10**9, 10**9])
def test_a_host_clock_that_is_set_restarts_the_clock(jump_ns):
    clock = SensorClock()
    clock.update(1000, EPOCH_NS)
    clock.update(2000, EPOCH_NS + jump_ns)
    assert clock.to_ros_ns(2000) == EPOCH_NS + jump_ns


def test_stamps_that_are_never_set_leave_the_time_to_the_sensor():
    clock = SensorClock()
    for us in range(7_000_000, 10_000_000, 50_000):
        clock.update(us, 0)
    assert clock.to_ros_ns(us) == (us - 7_000_000) * 1000


def test_times_that_are_ros_time_stay_as_they_are():
    clock = SensorClock(is_ros_time=True)
    us = EPOCH_NS // 1000
    for index in range(10):
        # Stamped when the packet was whole.
        clock.update(us + 10_000 * index, EPOCH_NS + 10 * MS_NS * (index + 1))
    assert clock.to_ros_ns(us + 5) == (us + 5) * 1000
    # Times that are not near the stamps are no ROS time, whatever the encoding.
    clock = SensorClock(is_ros_time=True)
    clock.update(5_000_000, EPOCH_NS)
    assert clock.to_ros_ns(5_000_000) == EPOCH_NS
