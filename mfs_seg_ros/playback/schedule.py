# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When what a source yields is sent, in seconds since the first item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mfs_seg_ros.playback.items import EventBatch, Frame

# From the last item to the first of the next turn, where a single item tells no interval.
SINGLE_S = 1 / 15
# Times that go back further are of a clock that was set back.
MAX_BACK_S = 1.0


def due_s(item: Frame | EventBatch) -> float:
    """Return when an item is sent, in its own time."""
    return item.time_s + item.delay_s


def played(
    source: Iterable[Frame | EventBatch], rate_hz: float = 0.0, loop: bool = False
) -> Iterator[Frame | EventBatch]:
    """
    Yield the items of a source, their times moved so that the first is due at 0, none earlier.

    An item keeps its delay. All are moved by the same time, so that moments keep their distances;
    what would be due before the item ahead of it is due together with it, and where it would be
    due more than a second before, it and all that follows are moved.

    rate_hz: items come this often, whatever their times; 0: at the source's own times.
    loop: begin again after the last item, one interval later.
    """
    count = 0
    due = 0.0
    while True:
        shift = None
        interval = SINGLE_S
        for item in source:
            previous = due
            if shift is None or due_s(item) + shift < previous - MAX_BACK_S:
                shift = due - due_s(item)
            due = count / rate_hz if rate_hz else max(due_s(item) + shift, previous)
            interval = due - previous or interval
            yield replace(item, time_s=due - item.delay_s)
            count += 1
        if not loop or shift is None:
            return
        due += interval
