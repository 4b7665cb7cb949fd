# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many frames of a camera never came, by their stamps."""

from __future__ import annotations

from collections import deque
from statistics import fmean, median

# The period is learned from the median of so many intervals: as long as fewer than half of them are
# too long, lost frames do not change it.
WINDOW = 31
# Before, nothing can be said.
MIN_INTERVALS = 9
# So many intervals that all are too long and all alike are no losses: the rate has changed.
ALIKE = 8
LIKENESS = 1.3
# Two stamps that each are off by 30 % of a period lie 1.6 periods apart with nothing lost.
JITTER = 0.65


class FramePeriod:
    """
    Learns the period of a camera from the stamps of all its images that arrive.

    A camera of which every second frame is lost from the beginning cannot be told from one of half
    the rate.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget everything: the stream broke, or another one begins."""
        self._intervals_ns: deque[int] = deque(maxlen=WINDOW)
        self._stamp_ns: int | None = None
        # Intervals in a row with something missing.
        self._long = 0

    @property
    def period_s(self) -> float | None:
        """The period in seconds; None while it is not known."""
        if len(self._intervals_ns) < MIN_INTERVALS:
            return None
        longest_ns = (1 + JITTER) * median(self._intervals_ns)
        # Jitter takes from one interval what it gives to the next: their mean has little of it.
        return fmean(interval for interval in self._intervals_ns if interval < longest_ns) / 1e9

    def missing_before(self, stamp_ns: int) -> int:
        """
        Take in the stamp of an image; return how many are missing between it and the one before.

        A stamp that goes back begins anew. One that stands still tells nothing.
        """
        before_ns, self._stamp_ns = self._stamp_ns, stamp_ns
        if before_ns is None or stamp_ns == before_ns:
            return 0
        interval_ns = stamp_ns - before_ns
        if interval_ns < 0:
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
