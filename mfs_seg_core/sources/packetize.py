# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cut events into batches of a few milliseconds, as a driver sends them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mfs_seg_core.events.evt3_encoder import encode_evt3
from mfs_seg_core.events.types import Events
from mfs_seg_core.sources.items import EventBatch


def batches(
    events: Events, width: int, height: int, batch_us: int, end_us: int | None = None
) -> Iterator[EventBatch]:
    """
    Cut events at all multiples of a duration, and leave out empty batches.

    :param events: events in the order of time.
    :param width: columns of the sensor.
    :param height: rows of the sensor.
    :param batch_us: duration of a batch in microseconds.
    :param end_us: latest end of the last batch, after the last event; None: a multiple of
        ``batch_us``.
    :yields: batches in the order of time.
    """
    turns = events.t // batch_us
    # The first event starts a batch, where there is one.
    starts = np.flatnonzero(np.diff(turns, prepend=turns[:1] - 1)).tolist()
    for start, stop in zip(starts, [*starts[1:], events.count]):
        first_us = int(events.t[start])
        complete_us = (int(turns[start]) + 1) * batch_us
        if end_us is not None:
            complete_us = min(complete_us, end_us)
        yield EventBatch(
            encode_evt3(events.where(slice(start, stop))), 'evt3', width, height,
            first_us / 1e6, (complete_us - first_us) / 1e6)
