# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that get no mask, and masks that get no points: reasons, advice, sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

# Totals of messages and masks.
IMAGES, PACKETS, MASKS = 'images', 'packets', 'masks'
# Reasons: dropped or refused by the node, missing because they never arrived, or failed.
IMAGES_DROPPED = 'images dropped for newer ones'
IMAGES_UNUSABLE = 'images unusable'
IMAGES_TOO_OLD = 'images too old'
IMAGES_LATE = 'images out of order'
IMAGES_LOST = 'images lost in the transport'
IMAGES_MISSING = 'images missing in the stamps'
PACKETS_DROPPED = 'packets dropped from the full queue'
PACKETS_UNUSABLE = 'packets unusable'
PACKETS_LATE = 'packets out of order'
PACKETS_MISSING = 'packets missing in the count'
STEPS_FAILED = 'steps failed'
# Masks without labelled points.
POINTS_UNUSABLE = 'depth images or clouds unusable'
POINTS_UNMATCHED = 'masks without depth image or cloud'
POINTS_UNCALIBRATED = 'masks without camera_info'
_SEE = 'see "Missing images" in docs/operation.md'
_LATE = 'they arrive after newer ones: look for a driver or relay with several threads'
ADVICE = {
    IMAGES_DROPPED: "the network is slower than the camera: lower the camera's rate or input_width "
                    'and input_height, or choose a faster device',
    IMAGES_UNUSABLE: 'the log says what is wrong with them',
    IMAGES_TOO_OLD: 'they arrive later than max_age: look for a slow link, or clocks that differ',
    IMAGES_LATE: _LATE,
    IMAGES_LOST: f'the middleware discarded them: {_SEE}',
    IMAGES_MISSING: f'the driver, or a link before this node, left them out: {_SEE}',
    PACKETS_DROPPED: 'events arrive faster than they are decoded: lower their rate at the driver',
    PACKETS_UNUSABLE: 'the log says what is wrong with them',
    PACKETS_LATE: _LATE,
    PACKETS_MISSING: f'the transport or the driver dropped them: {_SEE}',
    STEPS_FAILED: 'the log says why',
    POINTS_UNUSABLE: 'the log says what is wrong with them',
    POINTS_UNMATCHED: 'none of the same stamp arrived: let the driver synchronise depth and colour',
    POINTS_UNCALIBRATED: 'none arrived on ~/camera_info: remap it, or start its publisher',
}
# Different sentences about unusable messages that are logged in one report period.
MAX_SENTENCES = 10


class Counts(Protocol):
    """Keeps the counts, as :class:`mfs_seg_ros.diagnostics.health.Health`."""

    @property
    def totals(self) -> Mapping[str, int]:
        """Counts by name since the start."""

    def lost(self, cause: str, count: int = 1) -> None:
        """Count messages that get no mask."""

    def rejected(self, clause: str) -> None:
        """Keep a clause about rejected events; empty: there are few."""


class DropLog:
    """
    Counts the messages of one camera that get no mask, and logs them without flooding the log.

    :param logger: logger of the node.
    :param name: name of the camera; empty: the only one.
    :param counts: keeps the counts.
    """

    def __init__(self, logger: Any, name: str, counts: Counts) -> None:
        self._logger = logger
        self._title = f'{name}: ' if name else ''
        self._counts = counts
        self._logged: set[str] = set()
        self._reported: dict[str, tuple] = {}
        self._rejection_logged = False

    def count(self, cause: str, count: int = 1) -> None:
        """Count messages that get no mask, or masks; ``cause`` is a key of ADVICE."""
        if count:
            self._counts.lost(cause, count)

    def unusable(self, cause: str, sentence: str) -> None:
        """Count an unusable message, and log each sentence once in a report period."""
        self._counts.lost(cause)
        if sentence not in self._logged and len(self._logged) < MAX_SENTENCES:
            self._logged.add(sentence)
            self._logger.error(f'{self._title}unusable message: {sentence}')

    def rejected(self, clause: str) -> None:
        """Pass on a clause about rejected events, empty: there are few; log the first one."""
        self._counts.rejected(clause)
        if clause and not self._rejection_logged:
            self._rejection_logged = True
            self._logger.warn(f'{self._title}{clause}')

    def info(self, sentence: str) -> None:
        """Log a sentence about the camera."""
        self._logger.info(self._title + sentence)

    def report(self, faults: Mapping[str, int]) -> None:
        """
        End a report period; log a sentence for each sensor with new drops or missing messages.

        :param faults: faults of the event decoder by cause.
        """
        self._logged.clear()
        sentences = report_sentences(self._counts.totals, faults)
        for kind, (counts, sentence) in sentences.items():
            if any(counts) and counts != self._reported.get(kind):
                self._logger.warn(self._title + sentence)
            self._reported[kind] = counts


def report_sentences(totals: Mapping[str, int], faults: Mapping[str, int]
                     ) -> dict[str, tuple[tuple, str]]:
    """
    Describe the messages that got no mask.

    :param totals: counts by the names of this module.
    :param faults: faults of the event decoder by cause.
    :returns: for 'image', 'events' and 'points' the counts that the sentence depends on, and the
        sentence.
    """
    received, masks, packets = (totals.get(name, 0) for name in (IMAGES, MASKS, PACKETS))
    images = dropped, unusable, old, late, lost, missing = tuple(totals.get(name, 0) for name in (
        IMAGES_DROPPED, IMAGES_UNUSABLE, IMAGES_TOO_OLD, IMAGES_LATE, IMAGES_LOST, IMAGES_MISSING))
    events = full, bad, disordered, gone = tuple(totals.get(name, 0) for name in (
        PACKETS_DROPPED, PACKETS_UNUSABLE, PACKETS_LATE, PACKETS_MISSING))
    points = unmatched, uncalibrated, unlabelled = tuple(totals.get(name, 0) for name in (
        POINTS_UNMATCHED, POINTS_UNCALIBRATED, POINTS_UNUSABLE))
    listed = ', '.join(f"{count} x '{cause}'" for cause, count in faults.items()) or 'no faults'
    return {
        'image': (images, (
            f'of {received} images so far, {dropped} were dropped for newer ones, {unusable} were '
            f'unusable, {old} were too old and {late} out of order; {lost} more were lost in the '
            f'transport and {missing} are missing in the stamps; {masks} masks were published')),
        'events': ((*events, *sorted(faults.items())), (
            f'of {packets} event packets so far, {full} were dropped because the queue was full, '
            f'{bad} were unusable and {disordered} out of order; {gone} more are missing in the '
            f'count; the decoder found {listed}')),
        'points': (points, (
            f'of {masks} masks so far, {unmatched} had no depth image or cloud of the same stamp '
            f'and {uncalibrated} no camera_info; {unlabelled} depth images or clouds were '
            'unusable')),
    }
