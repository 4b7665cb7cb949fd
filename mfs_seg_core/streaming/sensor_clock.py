# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The clock of an event camera, mapped to ROS time."""

from __future__ import annotations

# Their drivers stamp the events in ROS time; the clock of the others starts anywhere.
ROS_TIME_ENCODINGS = ('libcaer', 'libcaer_cmp', 'mono')
# Time constant of the filtered offset: far above the jitter of the host's stamps, far below the
# hours in which a sensor's quartz drifts by milliseconds.
FILTER_US = 2_000_000
# A larger error is no jitter: one of the two clocks was set.
JUMP_US = 500_000


class SensorClock:
    """
    Map the time of one stream of event packets to ROS time by a filtered offset.

    Sensor time is in microseconds from any start, ROS time in nanoseconds since the epoch. Both are
    kept as integer differences from those of the first packet: a double cannot hold the epoch in
    nanoseconds.

    :param is_ros_time: whether the driver maps its times to ROS time already; where they are near
        the stamps, they are used unchanged.
    """

    def __init__(self, is_ros_time: bool = False) -> None:
        self._is_ros_time = is_ros_time
        self._exact = False
        self._first: tuple[int, int] | None = None
        # First event of the packet before.
        self._before_us = 0
        # ROS time minus sensor time, in microseconds, beyond that of the first packet.
        self._offset_us = 0.0

    @property
    def started(self) -> bool:
        """Whether there was a packet, so that times can be mapped."""
        return self._first is not None

    def update(self, first_us: int, stamp_ns: int) -> None:
        """
        Follow a packet.

        :param first_us: sensor time of its first event, not before that of the packet before.
        :param stamp_ns: stamp of its header; 0: the driver does not set it.
        """
        before_us, self._before_us = self._before_us, first_us
        if self._first is None:
            self._start(first_us, stamp_ns)
            return
        if stamp_ns == 0:
            return
        error_us = (stamp_ns - self._first[1]) / 1000 - (first_us - self._first[0])
        error_us -= self._offset_us
        if abs(error_us) > JUMP_US:
            self._start(first_us, stamp_ns)
        elif not self._exact:
            passed_us = max(0, first_us - before_us)
            self._offset_us += error_us * passed_us / (passed_us + FILTER_US)

    def to_ros_ns(self, sensor_us: int) -> int:
        """Return the ROS time in nanoseconds of a sensor time; the clock has started."""
        first_us, first_ns = self._first
        return first_ns + (sensor_us - first_us) * 1000 + round(self._offset_us * 1000)

    def to_sensor_us(self, stamp_ns: int) -> int:
        """Return the sensor time in microseconds of a ROS time; the clock has started."""
        first_us, first_ns = self._first
        return first_us + (stamp_ns - first_ns - round(self._offset_us * 1000)) // 1000

    def _start(self, sensor_us: int, stamp_ns: int) -> None:
        self._exact = self._is_ros_time and abs(stamp_ns // 1000 - sensor_us) < JUMP_US
        if self._exact:
            stamp_ns = sensor_us * 1000
        self._first, self._offset_us = (sensor_us, stamp_ns), 0.0
