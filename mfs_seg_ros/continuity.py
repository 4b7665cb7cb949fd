# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a frame continues the stream that the neurons have seen."""

from __future__ import annotations


class Continuity:
    """
    Follows stamps and sizes of a stream of frames, and finds where it breaks.

    `max_gap_s` is the longest time between two stamps that is no break. `step_s` is the time from
    the frame before to the last one; None when there is none, or both have the same stamp.
    """

    def __init__(self, max_gap_s: float) -> None:
        self._max_gap_s = max_gap_s
        self.step_s: float | None = None
        self._stamp_ns: int | None = None
        self._size: tuple[int, int] | None = None

    def break_before(self, stamp_ns: int, size: tuple[int, int]) -> str | None:
        """Take in a frame's stamp and (height, width); return why it breaks the stream, or None."""
        before_ns, before_size = self._stamp_ns, self._size
        self._stamp_ns, self._size = stamp_ns, size
        self.step_s = None
        if before_ns is None:
            return None
        step_s = (stamp_ns - before_ns) / 1e9
        if step_s < 0.0:
            return f'the stamp went back by {-step_s:.3f} s'
        if step_s > self._max_gap_s:
            return f'no image for {step_s:.3f} s (max_gap is {self._max_gap_s:g} s)'
        if size != before_size:
            return (f'the size changed from {before_size[1]}x{before_size[0]} '
                    f'to {size[1]}x{size[0]}')
        # A camera that never sets its stamps tells nothing of time.
        self.step_s = step_s or None
        return None
