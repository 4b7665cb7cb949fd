# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Event rate over time, for a recording of any length."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Rate(NamedTuple):
    """
    Event counts in bins of equal length.

    :param start_us: start of the first bin in microseconds.
    :param end_us: end of the last bin in microseconds; it may be shorter than the others.
    :param bin_us: length of a bin in microseconds.
    :param counts: number of events in each bin, int64 ``[N]``.
    """

    start_us: int
    end_us: int
    bin_us: int
    counts: np.ndarray

    def grouped(self, size: int) -> Rate:
        """Return the rate with ``size`` bins merged into one."""
        counts = np.add.reduceat(self.counts, np.arange(0, len(self.counts), size))
        return self._replace(bin_us=self.bin_us * size, counts=counts)

    def per_second(self) -> np.ndarray:
        """Return the events per second in each bin, float64 ``[N]``."""
        starts = self.start_us + self.bin_us * np.arange(len(self.counts))
        return self.counts / (np.minimum(self.bin_us, self.end_us - starts) * 1e-6)


class RateCounter:
    """Event counter whose bins grow with the recording, so that their number is bounded."""

    BINS = 4096

    def __init__(self):
        self._bin_us = 1
        # Only bins with events, because a clock that jumps leaves many empty ones.
        self._bins, self._counts = np.empty(0, np.int64), np.empty(0, np.int64)

    def add(self, t: np.ndarray) -> None:
        """Count the events at the times ``t``, int64 ``[N]``, microseconds."""
        bins, counts = np.unique(t // self._bin_us, return_counts=True)
        self._merge(np.concatenate([self._bins, bins]), np.concatenate([self._counts, counts]))
        while len(self._bins) > self.BINS:
            self._bin_us *= 2
            self._merge(self._bins // 2, self._counts)

    def rate(self, bins: int) -> Rate:
        """Return the rate from the first event to the last, in at most ``bins`` bins."""
        if not self._bins.size:
            return Rate(0, 0, 1, np.empty(0, np.int64))
        since = self._bins - self._bins[0]
        factor = int(since[-1]) // bins + 1
        counts = np.zeros(int(since[-1]) // factor + 1, np.int64)
        np.add.at(counts, since // factor, self._counts)
        start, last = int(self._bins[0]), int(self._bins[-1])
        return Rate(start * self._bin_us, (last + 1) * self._bin_us, factor * self._bin_us, counts)

    def _merge(self, bins: np.ndarray, counts: np.ndarray) -> None:
        self._bins, place = np.unique(bins, return_inverse=True)
        self._counts = np.zeros(len(self._bins), np.int64)
        np.add.at(self._counts, place.ravel(), counts)
