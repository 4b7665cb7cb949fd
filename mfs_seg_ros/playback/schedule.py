# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Times at which the items of a source are published, in seconds since the first item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mfs_seg_core.sources.items import EventBatch, Frame, due_s

# Interval before a repetition of a source that has a single item.
SINGLE_S = 1 / 15
# Times that go back further belong to a clock that was set back.
MAX_BACK_S = 1.0


def played(
    source: Iterable[Frame | EventBatch], rate_hz: float = 0.0, loop: bool = False
) -> Iterator[Frame | EventBatch]:
    """
    Shift the times of a source so that its first item is due at 0.

    All items are shifted by the same time, and keep their delay. An item that would be due before
    its predecessor is due together with it; where it would be due more than a second before, it and
    all later items are shifted.

    :param source: items.
    :param rate_hz: items per second, whatever their times; 0: at the source's own times.
    :param loop: start again after the last item, one interval later.
    :yields: the items.
    """
    count = 0
    due = 0.0
    playing = True
    while playing:
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
        # A source without items ends at once.
        playing = loop and shift is not None
        due += interval
