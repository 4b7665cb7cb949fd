# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a step continues the stream that the neurons have seen."""

from __future__ import annotations

from typing import NamedTuple


class Break(NamedTuple):
    """Why a stream does not continue: one of a few causes, and a sentence for people."""

    cause: str
    reason: str


class Continuity:
    """
    Follows stamps and sizes of a stream of steps, and finds where it breaks.

    `max_gap_s` is the longest time between two stamps that is no break. `step_s` is the time from
    the step before to the last one; None when there is none, or both have the same stamp.
    """

    def __init__(self, max_gap_s: float) -> None:
        self._max_gap_s = max_gap_s
        self.step_s: float | None = None
        self._stamp_ns: int | None = None
        # By what caused the steps.
        self._stamps_ns: dict[str, int] = {}
        self._size: tuple[int, ...] | None = None

    def break_before(
        self, stamp_ns: int, size: tuple[int, ...] | None, cause: str = 'image'
    ) -> Break | None:
        """
        Take in a step; return why it breaks the stream, or None.

        `size` is the (height, width) of its image, None when it has none; `cause`, 'image' or
        'events', says whose stamp it has.
        """
        before_ns, before_size, own_ns = self._stamp_ns, self._size, self._stamps_ns.get(cause)
        self._stamp_ns = self._stamps_ns[cause] = stamp_ns
        self._size = size or before_size
        self.step_s = None
        if before_ns is None:
            return None
        if own_ns is not None and stamp_ns < own_ns:
            # The other sensor is about to go back too.
            self._stamps_ns = {cause: stamp_ns}
            return Break('time went back',
                         f'the stamp went back by {(own_ns - stamp_ns) / 1e9:.3f} s')
        step_s = (stamp_ns - before_ns) / 1e9
        if step_s > self._max_gap_s:
            return Break('gap', f'no {cause} for {step_s:.3f} s (max_gap is {self._max_gap_s:g} s)')
        if before_size and size and size != before_size:
            return Break('size changed', f'the size changed from {before_size[1]}x{before_size[0]} '
                         f'to {size[1]}x{size[0]}')
        # A camera that never sets its stamps tells nothing of time.
        self.step_s = None if stamp_ns == own_ns else max(step_s, 0.0)
        return None
