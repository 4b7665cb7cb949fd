# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Report of a source: items that were left out, and remarks for the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from mfs_seg_core.events.rejection import rejection

# Bad items that are named; all are counted.
MAX_NAMED = 5
# From this share of bad items on, an input counts as damaged: the exit code of tools is 1.
MAX_BAD_SHARE = 0.05


@dataclass
class SourceReport:
    """
    Counts and remarks of all iterations over a source so far.

    :param skipped: number of bad items by kind: 'frames', 'labels' or 'packets'.
    :param first_skipped: a sentence for each of the first ones.
    :param notes: sentences about the source as a whole, for example on the times of its frames.
    :param faults: faults of the events of the last iteration by cause, as of a recording.
    :param accepted: number of its events that were accepted.
    :param incomplete: whether a note says that a part of the source cannot be read.
    """

    skipped: Counter[str] = field(default_factory=Counter)
    first_skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    incomplete: bool = False

    def skip(self, kind: str, sentence: str) -> None:
        """
        Count a bad item, which the source leaves out.

        :param kind: 'frames', 'labels' or 'packets'.
        :param sentence: file, or topic and stamp, of the item, and what is wrong with it.
        """
        self.skipped[kind] += 1
        if len(self.first_skipped) < MAX_NAMED:
            self.first_skipped.append(sentence)

    def note(self, sentence: str, incomplete: bool = False) -> None:
        """
        Add a remark about the source; the same one is kept once.

        :param sentence: the remark.
        :param incomplete: whether a part of the source cannot be read.
        """
        self.incomplete = self.incomplete or incomplete
        if sentence not in self.notes:
            self.notes.append(sentence)

    def count_events(self, faults: Mapping[str, int], accepted: int) -> None:
        """Set the faults of the decoded events by cause, and how many were accepted, so far."""
        self.faults = Counter(faults)
        self.accepted = accepted

    def bad_share(self, played: Mapping[str, int]) -> float:
        """
        Return the largest share of bad items among the kinds of items.

        :param played: number of items that were not bad, by kind.
        :returns: 0 to 1.
        """
        return max((count / (count + played.get(kind, 0))
                    for kind, count in self.skipped.items()), default=0.0)

    def sentences(self) -> list[str]:
        """Return sentences on what was left out, and on the source as a whole."""
        clauses = list(self.notes)
        if total := sum(self.skipped.values()):
            counts = ' and '.join(f'{count} {kind if count > 1 else kind.rstrip("s")}'
                                  for kind, count in self.skipped.items())
            more = '; and others' if total > len(self.first_skipped) else ''
            clauses.append(f'left out, because not readable, {counts}: '
                           f'{"; ".join(self.first_skipped)}{more}')
        clauses.append(self.rejection())
        return [f'{text.rstrip(".")}.' for text in clauses if text]

    def rejection(self) -> str:
        """Return a clause about rejected events; see :mod:`mfs_seg_core.events.rejection`."""
        return rejection(self.faults, self.accepted)
