# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many events came when, in a recording of any length."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Rate(NamedTuple):
    """
    Counts of events in bins of equal length.

    :param start_us: where the first bin starts.
    :param end_us: where the last one ends; it may be shorter than the others.
    :param bin_us: how long each is.
    :param counts: int64 ``[N]``.
    """

    start_us: int
    end_us: int
    bin_us: int
    counts: np.ndarray

    def grouped(self, size: int) -> Rate:
        """Join each so many bins."""
        counts = np.add.reduceat(self.counts, np.arange(0, len(self.counts), size))
        return self._replace(bin_us=self.bin_us * size, counts=counts)

    def per_second(self) -> np.ndarray:
        """Return events a second in each bin, float64 ``[N]``."""
        starts = self.start_us + self.bin_us * np.arange(len(self.counts))
        return self.counts / (np.minimum(self.bin_us, self.end_us - starts) * 1e-6)


class RateCounter:
    """Counts events in bins that grow with the recording, so that they stay few."""

    BINS = 4096

    def __init__(self):
        self._bin_us = 1
        # Only bins with events: a clock that jumps leaves many empty ones.
        self._bins, self._counts = np.empty(0, np.int64), np.empty(0, np.int64)

    def add(self, t: np.ndarray) -> None:
        """Count events; t is int64 ``[N]``, microseconds."""
        bins, counts = np.unique(t // self._bin_us, return_counts=True)
        self._merge(np.concatenate([self._bins, bins]), np.concatenate([self._counts, counts]))
        while len(self._bins) > self.BINS:
            self._bin_us *= 2
            self._merge(self._bins // 2, self._counts)

    def rate(self, bins: int) -> Rate:
        """Return what was counted, in at most so many bins, from the first event to the last."""
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
