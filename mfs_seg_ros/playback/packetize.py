# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events cut into batches of a few milliseconds, as a driver sends them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mfs_seg_core.events.evt3_encoder import encode_evt3
from mfs_seg_core.events.types import Events
from mfs_seg_ros.playback.items import EventBatch


def batches(
    events: Events, width: int, height: int, batch_us: int, end_us: int | None = None
) -> Iterator[EventBatch]:
    """
    Cut events in the order of time at all multiples of `batch_us`; what is empty is left out.

    end_us: where the last batch ends at the latest, after the last event.
    """
    if not events.count:
        return
    turns = events.t // batch_us
    starts = np.flatnonzero(np.diff(turns, prepend=turns[0] - 1)).tolist()
    for start, stop in zip(starts, [*starts[1:], events.count]):
        first_us = int(events.t[start])
        complete_us = (int(turns[start]) + 1) * batch_us
        if end_us is not None:
            complete_us = min(complete_us, end_us)
        yield EventBatch(
            encode_evt3(events.where(slice(start, stop))), 'evt3', width, height,
            first_us / 1e6, (complete_us - first_us) / 1e6)
