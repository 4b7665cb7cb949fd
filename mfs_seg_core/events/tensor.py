# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events as an image: counts by pixel, time bin and polarity."""

from __future__ import annotations

import numpy as np

from mfs_seg_core.events.types import Events


def count_events(events: Events, height: int, width: int, bins: int,
                 span: tuple[int, int] | None = None) -> np.ndarray:
    """
    Count events in every pixel, for each time bin and polarity.

    Bin ``b`` of ``B`` holds the events with ``start + b * D / B <= t < start + (b + 1) * D / B``,
    where ``D`` is ``end - start``. Integers decide, so that no event is counted in a bin beside
    its own, however large the stamps are.

    :param height: rows of the sensor, or of the part of it that the events are from.
    :param width: columns, likewise.
    :param bins: number of time bins.
    :param span: start and end of the window in microseconds, the end excluded; None: from the
        first event to the last, both counted.
    :returns: float32 ``[H, W, 2 * bins]``; channel ``2 * b`` counts what became darker in bin b,
        channel ``2 * b + 1`` what became brighter. Zeros where there are no events.
    :raises ValueError: an event is outside the sensor or the span, or the span or ``bins`` is
        empty.
    """
    if bins < 1 or (span is not None and span[0] >= span[1]):
        raise ValueError(f'{bins} bins in the span {span}: at least one bin is needed, and a span '
                         'that starts before it ends')
    shape = (height, width, 2 * bins)
    if not events.count:
        return np.zeros(shape, np.float32)
    first, last = int(events.t.min()), int(events.t.max())
    start, end = span or (first, last + 1)
    if first < start or last >= end:
        raise ValueError(f'events from {first} to {last} us are not all in the span {start} to '
                         f'{end} us: cut them to it first')
    right, bottom = int(events.x.max()), int(events.y.max())
    if right >= width or bottom >= height:
        raise ValueError(f'events reach pixel ({right}, {bottom}), outside {width}x{height}: give '
                         'the size of the sensor, or cut them to it first')
    bin_of = (events.t - start) * bins // (end - start)
    pixel = events.y.astype(np.int64) * width + events.x
    cell = (pixel * bins + bin_of) * 2 + events.p
    return np.bincount(cell, minlength=height * width * 2 * bins).reshape(shape).astype(np.float32)
