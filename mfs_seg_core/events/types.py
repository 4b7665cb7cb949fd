# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events and triggers as structures of arrays, and the window of events before a stamp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Events(NamedTuple):
    """
    N events in the order of time; all arrays are ``[N]``.

    :param t: time in microseconds, int64.
    :param x: column, uint16; 0 is left.
    :param y: row, uint16; 0 is the top.
    :param p: polarity, bool; True for ON events (brighter).
    """

    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    p: np.ndarray

    @property
    def count(self) -> int:
        """Return the number of events; ``len()`` is the number of fields, as of any tuple."""
        return len(self.t)

    def where(self, chosen: np.ndarray) -> Events:
        """Return the events selected by a mask ``[N]``, a slice or indices."""
        return Events(*(field[chosen] for field in self))

    @classmethod
    def empty(cls) -> Events:
        """Return arrays of length 0."""
        return cls(np.empty(0, np.int64), np.empty(0, np.uint16), np.empty(0, np.uint16),
                   np.empty(0, np.bool_))


def concatenate(parts: Sequence[Events]) -> Events:
    """Return the events of all parts in their order; no parts result in no events."""
    if len(parts) == 1:
        return parts[0]
    return Events(*map(np.concatenate, zip(*parts))) if parts else Events.empty()


class Triggers(NamedTuple):
    """
    N edges at the trigger inputs of a camera, in the order of time; all arrays are ``[N]``.

    :param t: time in microseconds, int64.
    :param id: number of the input, uint8.
    :param edge: bool; True for a rising edge.
    """

    t: np.ndarray
    id: np.ndarray
    edge: np.ndarray


@dataclass(frozen=True)
class Window:
    """
    Length of the window of events before a stamp: a duration or a number of events.

    :param us: duration in microseconds; the window is ``stamp - us <= t < stamp``.
    :param events: number of events, of any duration.
    :raises ValueError: if none or both are given, or one is less than 1.
    """

    us: int | None = None
    events: int | None = None

    def __post_init__(self):
        given = [value for value in (self.us, self.events) if value is not None]
        if len(given) != 1 or given[0] < 1:
            raise ValueError(f'{self}: a window is a duration or a number of events, at least '
                             '1: Window(us=50_000) or Window(events=32_000)')

    def first(self, end: int, since: Callable[[int], int]) -> int:
        """
        Return the index of the window's first event, at least that of the recording.

        :param end: index after the window's last event.
        :param since: function that returns the index of the first event at most so many
            microseconds before the stamp; windows by number do not call it.
        :returns: index of the first event.
        """
        if self.events is not None:
            return max(end - self.events, 0)
        return min(since(self.us), end)
