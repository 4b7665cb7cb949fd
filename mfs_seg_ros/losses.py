# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was received and not used: counted, and said in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

# What the sentence about events says is missing: packets dropped, unusable, and lost on the way.
PACKETS_LOST = (r'event packets so far, (\d+) were dropped .* and (\d+) were unusable; '
                r'(\d+) more were lost')
# Different complaints that are logged in full in one report period.
MAX_COMPLAINTS = 10


class Losses:
    """Counts of 'image' and 'events' messages, and the complaints of a report period."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()
        self.unusable: Counter[str] = Counter()
        self._said: set[str] = set()
        self._reported: dict[str, tuple] = {}

    def is_new(self, sentence: str) -> bool:
        """Return whether a complaint should be logged: once in a period, and not too many."""
        if sentence in self._said or len(self._said) == MAX_COMPLAINTS:
            return False
        self._said.add(sentence)
        return True

    def report(
        self, masks: int, images_dropped: int, packets_dropped: int, packets_lost: int,
        faults: Mapping[str, int],
    ) -> list[str]:
        """
        End a period; return a sentence for each sensor that lost something in it.

        `packets_lost` never came here; `faults` are those of the decoder, by cause.
        """
        self._said.clear()
        image, events = self.unusable['image'], self.unusable['events']
        counts = {'image': (images_dropped, image),
                  'events': (packets_dropped, packets_lost, events, *sorted(faults.items()))}
        sentences = {
            'image': f"of {self.received['image']} images so far, {images_dropped} were dropped "
                     f'for newer ones and {image} were unusable; {masks} masks were published',
            'events': f"of {self.received['events']} event packets so far, {packets_dropped} were "
                      f'dropped because the queue was full and {events} were unusable; '
                      f'{packets_lost} more were lost on the way; the decoder met '
                      + (', '.join(f"{count} x '{cause}'" for cause, count in faults.items())
                         or 'no faults'),
        }
        changed = [kind for kind in counts if counts[kind] != self._reported.get(kind)
                   and any(counts[kind])]
        self._reported = counts
        return [sentences[kind] for kind in changed]
