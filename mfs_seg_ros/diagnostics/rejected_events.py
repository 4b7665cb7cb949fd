# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Judge the share of the events that cannot be used, while a stream runs."""

from __future__ import annotations

from collections.abc import Mapping

from mfs_seg_core.events.rejection import REMEDIES, rejection

# With fewer events since the last judgement, single ones would be more than the limit.
LEAST_EVENTS = 1000


class RejectedEvents:
    """Compares totals with those of the last judgement."""

    def __init__(self) -> None:
        self._faults = dict.fromkeys(REMEDIES, 0)
        self._accepted = 0

    def judge(self, faults: Mapping[str, int], accepted: int) -> str | None:
        """
        Judge the events since the last judgement.

        :param faults: total number of faults by cause.
        :param accepted: total number of events that were decoded.
        :returns: a clause with share, cause and remedy where too many were rejected; empty if not;
            None: there are too few events so far.
        """
        new = {cause: faults.get(cause, 0) - before for cause, before in self._faults.items()}
        count = accepted - self._accepted
        if count + sum(new.values()) < LEAST_EVENTS:
            return None
        self._faults = {cause: faults.get(cause, 0) for cause in REMEDIES}
        self._accepted = accepted
        return rejection(new, count)
