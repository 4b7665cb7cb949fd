# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Summary of a recording, computed in one pass."""

from __future__ import annotations

import hashlib

import numpy as np

from mfs_seg_core.events.info.rate import Rate, RateCounter
from mfs_seg_core.events.recordings.recording import Recording

RATE_BINS = 100


def summarise(recording: Recording) -> tuple[dict, Rate]:
    """
    Summarise a recording.

    The summary is ready for JSON. Its keys: ``encoding``, ``width``, ``height``; ``n``, ``n_on``,
    ``n_off``; ``t_first``, ``t_last``, ``sum_t`` in ``t_unit`` (us or ns); ``sum_x``, ``sum_y``;
    ``sha256`` of the arrays t (int64), x, y (uint16) and p (uint8); ``duration_us``, from the
    earliest to the latest event; ``triggers``; ``faults``; ``notes``, clauses about parts that
    could not be read; ``rate``.

    :param recording: the recording, read from its start.
    :returns: the summary, and the event rate over time.
    :raises ValueError: if the recording is damaged.
    """
    counter = RateCounter()
    n = n_on = sum_t = sum_x = sum_y = 0
    t_first = t_last = least = greatest = None
    hashes = {key: hashlib.sha256() for key in ('t_int64', 'x_uint16', 'y_uint16', 'p_uint8')}
    for events in recording:
        t = recording.stamps
        n, n_on = n + events.count, n_on + int(np.count_nonzero(events.p))
        sum_t, sum_x, sum_y = (total + exact_sum(field) for total, field in
                               ((sum_t, t), (sum_x, events.x), (sum_y, events.y)))
        t_first, t_last = int(t[0]) if t_first is None else t_first, int(t[-1])
        ends = [least, greatest, int(events.t.min()), int(events.t.max())]
        ends = [end for end in ends if end is not None]
        least, greatest = min(ends), max(ends)
        for digest, field in zip(hashes.values(), (t, events.x, events.y, events.p)):
            digest.update(np.ascontiguousarray(field))
        counter.add(events.t)
    rate = counter.rate(RATE_BINS)
    triggers = recording.triggers
    return {
        'encoding': recording.encoding,
        'width': recording.size[0], 'height': recording.size[1],
        'n': n, 'n_on': n_on, 'n_off': n - n_on,
        't_first': t_first, 't_last': t_last,
        'sum_t': sum_t, 'sum_x': sum_x, 'sum_y': sum_y,
        't_unit': {1: 'ns', 1000: 'us'}[recording.unit_ns],
        'sha256': {key: digest.hexdigest() for key, digest in hashes.items()},
        'duration_us': greatest - least if n else 0,
        'triggers': {'n': triggers.t.size, 'n_edge0': int((~triggers.edge).sum()),
                     'n_edge1': int(triggers.edge.sum()), 'ids': np.unique(triggers.id).tolist(),
                     'sum_t': exact_sum(triggers.t)},
        'faults': recording.faults,
        'notes': recording.notes,
        'rate': {**rate._asdict(), 'counts': rate.counts.tolist()},
    }, rate


def exact_sum(numbers: np.ndarray) -> int:
    """Return the sum of integers, which may need more than 64 bits."""
    numbers = numbers.astype(np.int64)
    return (int((numbers >> 32).sum()) << 32) + int((numbers & 0xffffffff).sum())
