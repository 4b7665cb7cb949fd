# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Counts and log lines of messages that get no mask."""

from collections import Counter

import pytest
from support.pipeline import KeptLog

from mfs_seg_ros.diagnostics.drops import (
    IMAGES_DROPPED,
    IMAGES_TOO_OLD,
    IMAGES_UNUSABLE,
    MASKS,
    MAX_SENTENCES,
    PACKETS,
    PACKETS_DROPPED,
    PACKETS_MISSING,
    PACKETS_UNUSABLE,
    DropLog,
    report_sentences,
)


class Totals:
    """Counts in a Counter."""

    def __init__(self):
        self.totals = Counter()

    def lost(self, cause: str, count: int = 1) -> None:
        self.totals[cause] += count

    def rejected(self, sentence: str) -> None:
        self.rejection = sentence


@pytest.fixture
def totals():
    """Return counts, all 0."""
    return Totals()


@pytest.fixture
def log(totals):
    """Return the log of a camera 'front'."""
    return DropLog(KeptLog(), 'front', totals)


def test_counts_are_in_the_sentence_about_events():
    totals = {PACKETS: 90, PACKETS_UNUSABLE: 5, PACKETS_DROPPED: 12, PACKETS_MISSING: 3}
    _, sentence = report_sentences(totals, {'unknown word': 2})['events']
    assert sentence == (
        'of 90 event packets so far, 12 were dropped because the queue was full, 5 were unusable '
        "and 0 out of order; 3 more are missing in the count; the decoder found 2 x 'unknown word'")


def test_unchanged_counts_are_not_logged_again(log, totals):
    def report(**counts) -> list[str]:
        log._logger.lines.clear()
        log.report({})
        return log._logger.texts('warn')

    totals.totals[MASKS] = 7
    assert report() == []
    totals.totals.update({IMAGES_DROPPED: 1, PACKETS_MISSING: 2})
    assert len(report()) == 2
    totals.totals[MASKS] = 9
    assert report() == []
    totals.totals[IMAGES_TOO_OLD] = 1
    sentence, = report()
    assert sentence.startswith('front: of 0 images so far, 1 were dropped for newer ones')
    assert '1 were too old' in sentence


def test_each_sentence_is_logged_once_in_a_period(log, totals):
    for _ in range(3):
        log.unusable(IMAGES_UNUSABLE, 'the image is torn')
    assert totals.totals[IMAGES_UNUSABLE] == 3
    assert log._logger.texts('error') == ['front: unusable message: the image is torn']
    log.report({})
    log.unusable(IMAGES_UNUSABLE, 'the image is torn')
    assert len(log._logger.texts('error')) == 2


def test_different_sentences_do_not_flood_the_log(log):
    for number in range(3 * MAX_SENTENCES):
        log.unusable(PACKETS_UNUSABLE, f'sentence {number}')
    assert len(log._logger.texts('error')) == MAX_SENTENCES


def test_rejected_events_are_logged_once_and_passed_on(log, totals):
    for clause in ('', '40% of the events were rejected', '', '41% of the events were rejected'):
        log.rejected(clause)
        assert totals.rejection == clause
    assert log._logger.texts('warn') == ['front: 40% of the events were rejected']
