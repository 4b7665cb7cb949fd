# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When, in ROS time, a sensor's own clock says that something happened."""

from __future__ import annotations

# The offset follows with this time constant: far above the jitter of the host's stamps, far below
# the hours in which a sensor's quartz drifts by milliseconds.
FILTER_US = 2_000_000
# No jitter: one of the two clocks was set anew.
JUMP_US = 500_000
# Sensors mix up the order of single events by less than this.
BACK_US = 10_000


class SensorClock:
    """
    Maps the time of an event camera to ROS time by a filtered offset.

    Sensor time is in microseconds from anywhere, ROS time in nanoseconds since the epoch. Both are
    kept as differences from the first packet's, in integers: a double has no room for the epoch in
    nanoseconds. With `is_ros_time` the driver has mapped already: where its times are near the
    stamps they are taken as they are.
    """

    def __init__(self, is_ros_time: bool = False) -> None:
        self._is_ros_time = is_ros_time
        self._exact = False
        self._first: tuple[int, int] | None = None
        # Of the packet before: its first event and its last.
        self._before_us = self._newest_us = 0
        # ROS time minus sensor time, in microseconds, beyond that of the first packet.
        self._offset_us = 0.0

    @property
    def started(self) -> bool:
        """Whether a packet has told the offset."""
        return self._first is not None

    def update(self, first_us: int, last_us: int, stamp_ns: int) -> str | None:
        """
        Take in a packet: the times of its first and its last event, and its header's stamp.

        Return why the sensor's time does not continue, as text; None when it does.
        """
        before_us, newest_us = self._before_us, self._newest_us
        self._before_us, self._newest_us = first_us, last_us
        if self._first is None:
            self._start(first_us, stamp_ns)
            return None
        if first_us < newest_us - BACK_US:
            self._start(first_us, stamp_ns)
            return f"the event camera's time went back by {(newest_us - first_us) / 1e6:.3f} s"
        # A driver that never sets its stamps tells nothing of ROS time.
        if stamp_ns == 0:
            return None
        error_us = (stamp_ns - self._first[1]) / 1000 - (first_us - self._first[0])
        error_us -= self._offset_us
        if abs(error_us) > JUMP_US:
            self._start(first_us, stamp_ns)
        elif not self._exact:
            passed_us = max(0, first_us - before_us)
            self._offset_us += error_us * passed_us / (passed_us + FILTER_US)
        return None

    def to_ros_ns(self, sensor_us: int) -> int:
        """Return the ROS time in nanoseconds of a sensor time; needs a packet first."""
        first_us, first_ns = self._first
        return first_ns + (sensor_us - first_us) * 1000 + round(self._offset_us * 1000)

    def to_sensor_us(self, stamp_ns: int) -> int:
        """Return the sensor time in microseconds of a ROS time; needs a packet first."""
        first_us, first_ns = self._first
        return first_us + (stamp_ns - first_ns - round(self._offset_us * 1000)) // 1000

    def _start(self, sensor_us: int, stamp_ns: int) -> None:
        self._exact = self._is_ros_time and abs(stamp_ns // 1000 - sensor_us) < JUMP_US
        if self._exact:
            stamp_ns = sensor_us * 1000
        self._first, self._offset_us = (sensor_us, stamp_ns), 0.0
