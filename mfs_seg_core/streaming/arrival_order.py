# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tell a message that arrives late from a stream that went back in time."""

from __future__ import annotations

from enum import Enum

# So many late messages in a row, each later than the one before, are a stream that went back.
IN_A_ROW = 5


class Arrival(Enum):
    """Place of a message among those before it."""

    IN_ORDER = 'in order'
    # It is to be dropped; the stream continues.
    LATE = 'late'
    # The stream continues from here.
    BACK = 'back'


class ArrivalOrder:
    """
    Follows the times of the messages of one stream, as integers of any unit.

    :param tolerance: a message that is later than this is no late one: the stream went back.
    :param overlap: how far messages may reach into one another.
    """

    def __init__(self, tolerance: int, overlap: int = 0) -> None:
        self._tolerance, self._overlap = tolerance, overlap
        #: Newest time so far; None before the first message.
        self.newest: int | None = None
        # Late messages in a row, and the time of the last one.
        self._in_a_row, self._late = 0, 0

    def follow(self, first: int, last: int | None = None, was_sent_later: bool = False) -> Arrival:
        """
        Follow a message.

        :param first: its time, or the first of its times.
        :param last: the last of its times; None: the same.
        :param was_sent_later: whether it was sent after those before, and so cannot be late.
        :returns: its place.
        """
        last = first if last is None else last
        behind = 0 if self.newest is None else self.newest - self._overlap - first
        if behind <= 0:
            self.newest = last if self.newest is None else max(self.newest, last)
            self._in_a_row = 0
            return Arrival.IN_ORDER
        self._in_a_row = self._in_a_row + 1 if self._in_a_row and first > self._late else 1
        self._late = first
        if behind <= self._tolerance and self._in_a_row < IN_A_ROW and not was_sent_later:
            return Arrival.LATE
        self.newest, self._in_a_row = last, 0
        return Arrival.BACK

    def forget(self) -> None:
        """Forget the messages: another stream starts."""
        self.newest, self._in_a_row = None, 0
