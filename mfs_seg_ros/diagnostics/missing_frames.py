# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Count the missing frames of a camera by their stamps."""

from __future__ import annotations

from collections import deque
from statistics import fmean, median

# Intervals whose median is the period: while fewer than half of them are too long, missing frames
# do not change it.
WINDOW = 31
# With fewer intervals the period is unknown.
MIN_INTERVALS = 9
# As many intervals in a row that are too long and alike are no missing frames: the rate changed.
ALIKE = 8
LIKENESS = 1.3
# Two stamps that are both off by 30 % of a period are 1.6 periods apart without a missing frame.
JITTER = 0.65


class FramePeriod:
    """
    Learns the period of a camera from the stamps of the images that arrive.

    A camera that misses every second frame from the start looks like one of half the rate.

    :param max_gap_s: longest interval in seconds; after a longer one the period is learned again.
    """

    def __init__(self, max_gap_s: float = float('inf')) -> None:
        self._max_gap_s = max_gap_s
        self.restart()

    def restart(self) -> None:
        """Forget the period: another stream starts."""
        self._intervals_ns: deque[int] = deque(maxlen=WINDOW)
        self._stamp_ns: int | None = None
        # Intervals in a row with missing frames.
        self._long = 0

    @property
    def period_s(self) -> float | None:
        """The period in seconds; None while it is unknown."""
        if len(self._intervals_ns) < MIN_INTERVALS:
            return None
        longest_ns = (1 + JITTER) * median(self._intervals_ns)
        # Jitter takes from one interval what it gives to the next: their mean has little of it.
        return fmean(interval for interval in self._intervals_ns if interval < longest_ns) / 1e9

    def missing_before(self, stamp_ns: int) -> int:
        """
        Follow the stamp of an image.

        :param stamp_ns: stamp in nanoseconds. One that goes back starts another stream; one equal
            to that before says nothing.
        :returns: how many frames are missing between the image before and this one.
        """
        before_ns, self._stamp_ns = self._stamp_ns, stamp_ns
        if before_ns is None or stamp_ns == before_ns:
            return 0
        interval_ns = stamp_ns - before_ns
        if not 0 <= interval_ns <= 1e9 * self._max_gap_s:
            self.restart()
            self._stamp_ns = stamp_ns
            return 0
        period_s = self.period_s
        self._intervals_ns.append(interval_ns)
        if period_s is None:
            return 0
        missing = max(0, int(interval_ns / 1e9 / period_s - JITTER))
        self._long = self._long + 1 if missing else 0
        if self._long >= ALIKE:
            latest = list(self._intervals_ns)[-ALIKE:]
            if max(latest) < LIKENESS * min(latest):
                self._intervals_ns = deque(latest, maxlen=WINDOW)
                self._long = 0
        return missing
