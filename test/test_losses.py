# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sentences about what was lost."""

import re

from mfs_seg_ros.losses import PACKETS_LOST, Losses


def test_the_sentence_about_events_can_be_read_again():
    losses = Losses()
    losses.received['events'] = 90
    losses.unusable['events'] = 5
    sentence, = losses.report(0, 0, 12, 3, {'unknown word': 2})
    assert re.search(PACKETS_LOST, sentence).groups() == ('12', '5', '3')


def test_what_did_not_change_is_not_said_again():
    losses = Losses()
    assert losses.report(7, 0, 0, 0, {}) == []
    assert len(losses.report(7, 1, 0, 2, {})) == 2
    assert losses.report(9, 1, 0, 2, {}) == []
