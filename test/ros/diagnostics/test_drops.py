# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sentences about what was lost."""

import re

from mfs_seg_ros.diagnostics import drops as losses
from mfs_seg_ros.diagnostics.drops import PACKETS_LOST, Losses


def test_the_sentence_about_events_can_be_read_again():
    totals = {losses.PACKETS: 90, losses.PACKETS_UNUSABLE: 5, losses.PACKETS_DROPPED: 12,
              losses.PACKETS_MISSING: 3}
    sentence, = Losses().report(totals, {'unknown word': 2})
    assert re.search(PACKETS_LOST, sentence).groups() == ('12', '5', '3')


def test_what_did_not_change_is_not_said_again():
    said = Losses()
    assert said.report({losses.MASKS: 7}, {}) == []
    totals = {losses.IMAGES_DROPPED: 1, losses.PACKETS_MISSING: 2}
    assert len(said.report(totals, {})) == 2
    assert said.report({**totals, losses.MASKS: 9}, {}) == []
    assert 'too old' in said.report({**totals, losses.IMAGES_TOO_OLD: 1}, {})[0]
