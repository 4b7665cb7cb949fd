# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Unit of times, from an argument, from a name or from the values, and conversion to microseconds.

Three properties distinguish units: the rate of an event camera is thousands to millions of events
a second, its clock ticks in microseconds, and times since 1970 have a magnitude of their own.
"""

from __future__ import annotations

import re

import numpy as np

# Nanoseconds per unit.
UNITS = {'s': 1_000_000_000, 'ms': 1_000_000, 'us': 1_000, 'ns': 1}
_NAMES = {
    's': ('s', 'sec', 'secs', 'second', 'seconds'),
    'ms': ('ms', 'msec', 'millis', 'millisecond', 'milliseconds'),
    'us': ('us', 'usec', 'usecs', 'µs', 'μs', 'micros', 'microsecond', 'microseconds'),
    'ns': ('ns', 'nsec', 'nsecs', 'nanos', 'nanosecond', 'nanoseconds'),
}
# Events a second of a usual recording.
USUAL_RATE = 1e3, 2e8
# Events a second below and above which recordings are rare.
RARE_RATE, HIGH_RATE = 100, 1e7
# Fewer events do not determine a rate.
FEWEST = 100
# 2001 to 2100, in seconds since 1970.
EPOCH_S = 978_307_200, 4_102_444_800
# Times beyond this, in nanoseconds, overflow.
LATEST_NS = 1 << 62


def unit_of(name: str) -> str:
    """Return the unit in the name of a column, such as 't_us' or 'time [ns]'; empty: none."""
    for word in re.findall(r'[^\W\d_]+', name.lower()):
        for unit, words in _NAMES.items():
            if word in words:
                return unit
    return ''


def checked_unit(unit: str) -> str:
    """
    Check the argument ``unit``.

    :param unit: 's', 'ms', 'us', 'ns' or empty.
    :returns: the unit.
    :raises ValueError: if it is another one.
    """
    if unit and unit not in UNITS:
        raise ValueError(f"unit '{unit}' is unknown: give one of {', '.join(UNITS)}")
    return unit


# Damaged times may be too large to be multiplied.
@np.errstate(over='ignore', invalid='ignore')
def unit_by_values(t: np.ndarray) -> str:
    """
    Return the unit of the times of the first events.

    Whole numbers are microseconds unless rate or magnitude say otherwise; numbers with decimals
    are seconds unless the rate says otherwise.

    :param t: times in the order of the file, ``[N]``.
    :returns: the unit; empty: in doubt.
    """
    if not len(t):
        return 'us'
    # Quantiles, so that a few damaged times have no influence.
    first, largest, last = np.quantile(t, (0.01, 0.5, 0.99)).tolist()
    span = (last - first) / 0.98
    whole = t.dtype.kind in 'iu' or bool((t == np.rint(t)).all())
    if largest >= EPOCH_S[0] * 1e9:
        return 'ns'
    rates = {unit: len(t) / span * 1e9 / ns for unit, ns in UNITS.items()} if span else {}
    usual = [unit for unit, rate in rates.items() if USUAL_RATE[0] <= rate <= USUAL_RATE[1]]
    few = len(t) < FEWEST or not rates
    if not whole:
        if few or _since_1970(largest, 's'):
            return 's'
        # Milliseconds of a clock of microseconds have three decimals, seconds have six.
        fine = bool((np.abs(t * 1e3 - np.rint(t * 1e3)) > 1e-3).any())
        if 's' in usual:
            return 's'
        if rates['s'] < (RARE_RATE / 10 if fine else RARE_RATE):
            return next((unit for unit in ('ms', 'us') if unit in usual), '')
        return 's' if fine else ''
    # Seconds without decimals are no times of events.
    if few:
        return 'us'
    coarse = bool((t % 1000 == 0).all())
    if _since_1970(largest, 'us') and rates['us'] <= USUAL_RATE[1]:
        return 'us'
    if _since_1970(largest, 'ms') and 'ms' in usual:
        # Microseconds since the start of a computer some weeks ago look alike.
        return 'ms' if rates['us'] > HIGH_RATE else ''
    if coarse and 'ns' in usual:
        # Nanoseconds of a clock of microseconds, or microseconds of a clock of milliseconds.
        return 'ns' if rates['us'] < RARE_RATE else ''
    if 'us' in usual:
        return 'us'
    if rates['us'] > USUAL_RATE[1]:
        return 'ms' if 'ms' in usual else ''
    return ''


def microseconds(t: np.ndarray, unit: str) -> np.ndarray:
    """
    Convert times to microseconds.

    :param t: times, integers or floats, ``[N]``.
    :param unit: their unit.
    :returns: times in microseconds, int64 ``[N]``; floats are rounded, nanoseconds are cut off.
    :raises ValueError: if a time is not a number, or too large.
    """
    ns = UNITS[unit]
    # NaN fails the comparison too.
    if t.size and not max(abs(float(t.min())), abs(float(t.max()))) * ns < LATEST_NS:
        raise ValueError(f'a time of {t.max()} {unit} is out of range: check the unit')
    if t.dtype.kind == 'f':
        return np.rint(t.astype(np.float64) * (ns / 1000)).astype(np.int64)
    t = t.astype(np.int64)
    return t * (ns // 1000) if ns >= 1000 else t // 1000


def _since_1970(value: float, unit: str) -> bool:
    return EPOCH_S[0] <= value * UNITS[unit] / 1e9 <= EPOCH_S[1]
