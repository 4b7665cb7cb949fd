# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Count the missing frames of a camera by their stamps, where the stamps allow it.

A camera takes frames at a period. Where frames are missing, the intervals between the stamps are
whole multiples of this period; jitter, bursts, pairs and coarse clocks make other intervals. So
frames are counted only while the stamps lie on a grid of one period, with little deviation; nothing
is said about all other streams.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from itertools import accumulate, groupby, pairwise
from typing import NamedTuple

# Intervals that the period is learned from, at most, and after a change of the rate.
WINDOW, RELEARN = 64, 24
# Intervals are decided once so many later ones are known, and some at a time, to save time.
LOOKAHEAD, BLOCK = 8, 8
# A frame that is later than this belongs to another stream.
LATE_NS = 500_000_000
# Greatest deviation of the stamps from the grid, root mean square in periods: over the window, and
# over the intervals that are decided. Random stamps have 0.29.
DEVIATION, LOCAL_DEVIATION = 0.15, 0.19
# The same of long intervals, beyond three times that of the others.
PAUSE_DEVIATION = 0.15
# Share of a deviation by which the grid follows: clocks drift, and cameras pause.
FOLLOW = 0.2
# Greatest share of intervals of no period, and least of one period.
NO_PERIOD, ONE_PERIOD = 0.05, 0.3
# Greatest share of missing frames; greater, and all pauses alike, they come in bursts.
MISSING, MISSING_ALIKE = 0.7, 0.35
# So many intervals in a row of the same number of periods, more than one, are another rate.
ALIKE = 6


class _Grid(NamedTuple):
    """
    The stamps on a grid.

    :param periods: periods of each interval.
    :param deviations: distance of each stamp but the first from the grid, in periods.
    """

    periods: list[int]
    deviations: list[float]


class MissingFrames:
    """
    Follows the stamps of the frames that arrive.

    A loss is known 8 to 16 frames later, and from the 25th frame on. A camera that misses every
    second frame from the start looks like one of half the rate.

    :param max_gap_s: longest interval in seconds; after a longer one the period is learned again.
    """

    def __init__(self, max_gap_s: float = float('inf')) -> None:
        self._max_gap_ns = 1e9 * max_gap_s
        self.restart()

    def restart(self) -> None:
        """Forget the stamps: another stream starts."""
        # Sorted, as frames may arrive in another order.
        self._stamps_ns: list[int] = []
        # Intervals at the start of the stamps that were decided.
        self._decided = 0
        # Frames that seemed missing in the intervals decided before, and arrived later.
        self._late = 0
        # Frames that the middleware reported lost, not yet found missing: before the last decision,
        # and since.
        self._lost_before = self._lost = 0

    def lost(self, count: int) -> None:
        """Record frames that the middleware reports lost: they are not missing a second time."""
        self._lost += count

    def add(self, stamp_ns: int) -> int:
        """
        Follow the stamp of a frame.

        :param stamp_ns: stamp in nanoseconds. One far before or after the others starts another
            stream; one equal to another says nothing.
        :returns: how many more frames turned out to be missing, beyond those reported lost.
        """
        stamps = self._stamps_ns
        if stamps and not -LATE_NS <= stamp_ns - stamps[-1] <= self._max_gap_ns:
            self.restart()
            stamps = self._stamps_ns
        if stamps and (stamp_ns <= stamps[self._decided] or stamp_ns in stamps[self._decided:]):
            return 0
        insort(stamps, stamp_ns)
        if len(stamps) - 1 < max(RELEARN, self._decided + LOOKAHEAD + BLOCK):
            return 0
        missing = self._decide()
        del stamps[:max(0, len(stamps) - 1 - WINDOW)]
        self._decided = len(stamps) - 1 - LOOKAHEAD
        explained = min(missing, self._lost_before + self._lost)
        # Those of intervals that are not decided yet were reported since the last decision.
        self._lost_before = min(self._lost_before + self._lost - explained, self._lost)
        self._lost = 0
        return missing - explained

    def _decide(self) -> int:
        """Return how many frames are missing in the intervals that are decided now."""
        stamps, start = self._stamps_ns, self._decided
        grid = _find_grid(stamps, start)
        if grid is None:
            # The rate may have changed.
            surplus = min(start, max(0, len(stamps) - 1 - RELEARN))
            del stamps[:surplus]
            start -= surplus
            grid = _find_grid(stamps, start) if surplus else None
        if grid is None:
            self._late = 0
            return 0
        # Intervals minus frames, from the decided ones on.
        surpluses = [*accumulate((periods - 1 for periods in
                                  _without_rate_changes(grid.periods)[start:]), initial=self._late)]
        decided = surpluses[-1 - LOOKAHEAD]
        # What arrives later is not missing.
        missing = max(0, min(surpluses[-1 - LOOKAHEAD:]))
        self._late = max(0, decided - missing)
        return missing


def _find_grid(stamps_ns: Sequence[int], start: int) -> _Grid | None:
    """Return the grid of the stamps; None: they have none. Intervals from ``start`` are decided."""
    if all(stamp % 1_000_000_000 == 0 for stamp in stamps_ns):
        # Whole seconds, whatever the period.
        return None
    intervals_ns = [after - before for before, after in pairwise(stamps_ns)]
    ordered = sorted(intervals_ns)
    for guess_ns in (ordered[len(ordered) // 2], ordered[len(ordered) // 4]):
        period_ns = _fit_period(intervals_ns, guess_ns)
        grid = _on_grid(intervals_ns, period_ns)
        if _is_credible(grid, start, intervals_ns, period_ns):
            return grid
    return None


def _fit_period(intervals_ns: Sequence[int], guess_ns: float) -> float:
    """Return the period of which most intervals are small multiples, in nanoseconds."""
    for _ in range(3):
        near = [(interval, periods) for interval in intervals_ns
                if 1 <= (periods := round(interval / guess_ns)) <= 3]
        if not near:
            break
        guess_ns = sum(interval for interval, _ in near) / sum(periods for _, periods in near)
    return guess_ns


def _on_grid(intervals_ns: Sequence[int], period_ns: float) -> _Grid:
    """Assign stamps to the places of a grid that follows them slowly."""
    periods, deviations = [], []
    deviation = 0.0
    for interval_ns in intervals_ns:
        position = interval_ns / period_ns + (1 - FOLLOW) * deviation
        periods.append(round(position))
        deviation = position - periods[-1]
        deviations.append(deviation)
    return _Grid(periods, deviations)


def _is_credible(grid: _Grid, start: int, intervals_ns: Sequence[int], period_ns: float) -> bool:
    """Return whether the stamps are those of a camera of which some frames are missing."""
    periods, count = grid.periods, len(grid.periods)
    long = [number for number in periods if number > 1]
    share = 1 - count / max(count, sum(periods))
    # Pauses that are all alike are not losses, which are random, or rare.
    in_bursts = (long and max(long) <= 1.25 * min(long) + (min(long) > 2)
                 and share >= MISSING_ALIKE)
    return (_mean_square(grid.deviations) <= DEVIATION ** 2
            and _mean_square(grid.deviations[start:]) <= LOCAL_DEVIATION ** 2
            and _pauses_fit(intervals_ns, period_ns)
            and sum(number < 1 for number in periods) <= NO_PERIOD * count
            and periods.count(1) >= ONE_PERIOD * count
            and share <= MISSING and not in_bursts)


def _pauses_fit(intervals_ns: Sequence[int], period_ns: float) -> bool:
    """Return whether long intervals are multiples of the period as nearly as the others are."""
    short: list[float] = []
    long: list[float] = []
    for interval_ns in intervals_ns:
        periods = round(interval_ns / period_ns)
        (long if periods > 1 else short).append(interval_ns / period_ns - periods)
    usual = _mean_square(short) if short else 0.0
    return not long or _mean_square(long) <= PAUSE_DEVIATION ** 2 + 9 * usual


def _without_rate_changes(periods: Sequence[int]) -> list[int]:
    """Return the periods of each interval, 1 for those of another rate."""
    changed: list[int] = []
    for number, group in groupby(periods):
        length = len(list(group))
        changed += [1 if number > 1 and length >= ALIKE else number] * length
    return changed


def _mean_square(values: Sequence[float]) -> float:
    return sum(value * value for value in values) / len(values)
