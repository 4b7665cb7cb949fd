# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Share of the events of a stream that cannot be used, and its cause in words."""

from __future__ import annotations

from collections.abc import Mapping

#: Largest share of rejected events that a healthy stream has.
LIMIT = 0.01
# Faults that are counts of events, and what to check for each.
REMEDIES = {
    'outside the sensor': 'give the size of the sensor',
    'time went back': 'check the order and the unit of the time stamps',
    'before the start': 'check the encoding, or record from the start of the stream',
}


def rejection(faults: Mapping[str, int], accepted: int) -> str:
    """
    Describe the rejected events of a stream where they are more than ``LIMIT`` of all.

    :param faults: number of faults by cause; causes that do not count events are ignored.
    :param accepted: number of events that were accepted.
    :returns: a clause with the share, the main cause and the remedy, without a full stop; empty
        if the share is within the limit.
    """
    counts = {cause: faults.get(cause, 0) for cause in REMEDIES}
    rejected = sum(counts.values())
    if rejected <= LIMIT * (accepted + rejected):
        return ''
    cause = max(counts, key=counts.__getitem__)
    return (f'{rejected / (accepted + rejected):.0%} of the events were rejected, mainly '
            f'{cause} ({counts[cause]:,} of {accepted + rejected:,}): {REMEDIES[cause]}')
