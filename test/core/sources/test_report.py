# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reports of sources: shares of bad items, and sentences for the user."""

from mfs_seg_core.sources.report import MAX_NAMED, SourceReport


def test_nothing_to_report():
    report = SourceReport()
    assert report.sentences() == [] and report.bad_share({'frames': 10}) == 0.0


def test_the_worst_kind_counts():
    report = SourceReport()
    for index in range(7):
        report.skip('frames' if index else 'packets', f'number {index} is bad')
    assert report.bad_share({'frames': 6, 'packets': 999}) == 0.5
    assert report.bad_share({}) == 1.0
    assert len(report.first_skipped) == MAX_NAMED
    assert report.sentences() == [
        'left out, because not readable, 1 packet and 6 frames: number 0 is bad; number 1 is bad; '
        'number 2 is bad; number 3 is bad; number 4 is bad; and others.']


def test_notes_are_kept_once_and_rejected_events_are_described():
    report = SourceReport()
    for _ in range(2):
        report.note('it was cut')
        report.count_events({'outside the sensor': 30}, 70)
    assert report.sentences() == [
        'it was cut.',
        '30% of the events were rejected, mainly outside the sensor (30 of 100): give the size of '
        'the sensor.']
