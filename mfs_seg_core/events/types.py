# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events as a structure of arrays, and the window that cuts them out of a recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Events(NamedTuple):
    """
    N events in the order of time; all arrays are ``[N]``.

    :param t: int64, microseconds.
    :param x: uint16, column; 0 is left.
    :param y: uint16, row; 0 is the top.
    :param p: bool, polarity: True where it became brighter.
    """

    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    p: np.ndarray

    # len() is the number of fields, as of any tuple.
    @property
    def count(self) -> int:
        return len(self.t)

    def where(self, chosen: np.ndarray) -> Events:
        """Return the events that a mask ``[N]``, a slice or indices choose."""
        return Events(*(field[chosen] for field in self))

    @classmethod
    def empty(cls) -> Events:
        """Return no events."""
        return cls(np.empty(0, np.int64), np.empty(0, np.uint16), np.empty(0, np.uint16),
                   np.empty(0, np.bool_))


def concatenate(parts: Sequence[Events]) -> Events:
    """Return the events of all parts, in their order; no parts make no events."""
    if len(parts) == 1:
        return parts[0]
    return Events(*map(np.concatenate, zip(*parts))) if parts else Events.empty()


class Triggers(NamedTuple):
    """
    N edges at the inputs of a camera, in the order of time; all arrays are ``[N]``.

    :param t: int64, microseconds.
    :param id: uint8, which input.
    :param edge: bool: True where it rose.
    """

    t: np.ndarray
    id: np.ndarray
    edge: np.ndarray


@dataclass(frozen=True)
class Window:
    """
    The events just before a stamp: by time or by number, one of both.

    :param us: those of the last ``us`` microseconds: ``stamp - us <= t < stamp``.
    :param events: the last ``events`` events, however long they took.
    :raises ValueError: none or both are given, or less than 1.
    """

    us: int | None = None
    events: int | None = None

    def __post_init__(self):
        given = [value for value in (self.us, self.events) if value is not None]
        if len(given) != 1 or given[0] < 1:
            raise ValueError(f'{self}: a window is a time or a number of events, and at least 1: '
                             'Window(us=50_000) or Window(events=32_000)')

    def first(self, end: int, since: Callable[[int], int]) -> int:
        """
        Return the index of the window's first event; a recording's start cuts it short.

        :param end: index of the event after the window's last one.
        :param since: gives the index of the first event that is at most so many microseconds
            older than the stamp; asked by windows of time only.
        """
        if self.events is not None:
            return max(end - self.events, 0)
        return min(since(self.us), end)
