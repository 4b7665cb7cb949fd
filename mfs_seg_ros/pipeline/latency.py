# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Time from the stamp of a message to now, where both are times of one clock."""

from __future__ import annotations

import time
from collections.abc import Callable

# A stamp this far from now is of another clock, and tells nothing of latency.
OTHER_CLOCK_S = 60.0
# After a jump of the clock, messages stamped before it arrive for so long.
SETTLE_S = 1.0
# A larger change of the system's clock against the steady one is no correction of its rate.
JUMP_S = 0.1


class Latency:
    """
    Measures latencies, but none across a jump of the clock.

    :param now_ns: returns the ROS time in nanoseconds.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._offset_s = time.time() - time.monotonic()
        self._valid_from_s = float('-inf')

    def clock_jumped(self) -> None:
        """Measure none for a while; called by any thread."""
        self._valid_from_s = time.monotonic() + SETTLE_S

    def since(self, stamp_ns: int) -> float | None:
        """Return the seconds since a stamp; None: unknown."""
        now_s = time.monotonic()
        offset_s = time.time() - now_s
        if abs(offset_s - self._offset_s) > JUMP_S:
            # ROS reports jumps of the simulated time only.
            self.clock_jumped()
        self._offset_s = offset_s
        latency_s = (self._now_ns() - stamp_ns) / 1e9
        known = abs(latency_s) < OTHER_CLOCK_S and now_s >= self._valid_from_s
        return latency_s if known else None
