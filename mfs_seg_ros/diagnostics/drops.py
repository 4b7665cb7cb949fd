# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was received and not used: its causes, and sentences on it."""

from __future__ import annotations

from collections.abc import Mapping

# What comes, and what goes.
IMAGES, PACKETS, MASKS = 'images', 'packets', 'masks'
IMAGES_DROPPED = 'images dropped for newer ones'
IMAGES_UNUSABLE = 'images unusable'
IMAGES_TOO_OLD = 'images too old'
IMAGES_MISSING = 'images missing in the stamps'
PACKETS_DROPPED = 'packets dropped from the full queue'
PACKETS_UNUSABLE = 'packets unusable'
PACKETS_MISSING = 'packets missing in the count'
STEPS_FAILED = 'steps failed'
# What to do about each.
ADVICE = {
    IMAGES_DROPPED: "the network is slower than the camera: lower the camera's rate or input_width "
                    'and input_height, or choose a quicker device',
    IMAGES_UNUSABLE: 'the log says what is wrong with them',
    IMAGES_TOO_OLD: 'they come later than max_age: look for a slow link, or clocks that differ',
    IMAGES_MISSING: 'the transport or the driver lost them: see "Lost images" in the README',
    PACKETS_DROPPED: 'events come quicker than they are decoded: lower their rate at the driver',
    PACKETS_UNUSABLE: 'the log says what is wrong with them',
    PACKETS_MISSING: 'the transport or the driver lost them: see "Lost images" in the README',
    STEPS_FAILED: 'the log says why',
}
# What the sentence about events says is missing: packets dropped, unusable, and lost on the way.
PACKETS_LOST = (r'event packets so far, (\d+) were dropped .* and (\d+) were unusable; '
                r'(\d+) more were lost')
# Different complaints that are logged in full in one report period.
MAX_COMPLAINTS = 10


class Losses:
    """Sentences on what was lost, and the complaints of a report period."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._reported: dict[str, tuple] = {}

    def is_new(self, sentence: str) -> bool:
        """Return whether a complaint should be logged: once in a period, and not too many."""
        if sentence in self._said or len(self._said) == MAX_COMPLAINTS:
            return False
        self._said.add(sentence)
        return True

    def report(self, totals: Mapping[str, int], faults: Mapping[str, int]) -> list[str]:
        """
        End a period; return a sentence for each sensor that lost something in it.

        `totals` has what came and what was lost so far, by the names above; `faults` are those of
        the decoder, by cause.
        """
        self._said.clear()
        came, masks, packets = (totals.get(name, 0) for name in (IMAGES, MASKS, PACKETS))
        dropped, unusable, old, missing = images = [totals.get(name, 0) for name in (
            IMAGES_DROPPED, IMAGES_UNUSABLE, IMAGES_TOO_OLD, IMAGES_MISSING)]
        full, bad, gone = events = [totals.get(name, 0) for name in (
            PACKETS_DROPPED, PACKETS_UNUSABLE, PACKETS_MISSING)]
        counts = {'image': (*images,), 'events': (*events, *sorted(faults.items()))}
        sentences = {
            'image': f'of {came} images so far, {dropped} were dropped for newer ones and '
                     f'{unusable} were unusable, {old} were too old; {missing} more are missing in '
                     f'the stamps; {masks} masks were published',
            'events': f'of {packets} event packets so far, {full} were dropped because the queue '
                      f'was full and {bad} were unusable; {gone} more were lost on the way; the '
                      'decoder met '
                      + (', '.join(f"{count} x '{cause}'" for cause, count in faults.items())
                         or 'no faults'),
        }
        changed = [kind for kind in counts if counts[kind] != self._reported.get(kind)
                   and any(counts[kind])]
        self._reported = counts
        return [sentences[kind] for kind in changed]
