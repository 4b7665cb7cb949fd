# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The trend of a series of samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """
    Return the median of the slopes between all pairs of samples (Theil-Sen estimator).

    Up to a quarter of the samples may be outliers.

    :param times: one for each sample, in any unit.
    :param values: the samples.
    :returns: units of a value in a unit of time; 0 for fewer than two samples.
    """
    t, v = np.asarray(times, float), np.asarray(values, float)
    first, second = np.triu_indices(len(t), 1)
    apart = t[second] - t[first]
    first, second, apart = first[apart > 0], second[apart > 0], apart[apart > 0]
    return float(np.median((v[second] - v[first]) / apart)) if len(apart) else 0.0


def growth(values: Sequence[float]) -> float:
    """Return the median of the last third of the samples minus that of the first."""
    third = max(1, len(values) // 3)
    return float(np.median(values[-third:]) - np.median(values[:third])) if len(values) else 0.0
