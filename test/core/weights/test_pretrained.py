# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the shipped weights are worth, on drives that no training saw."""


import pytest
from support.paths import SHARED_DATA

from mfs_seg_core.data.sequences import camvid_sequences, street_sequences
from mfs_seg_core.data.street.seeds import TEST_SEED
from mfs_seg_core.data.street.sensor import WHITE
from mfs_seg_core.evaluate.modes import evaluate
from mfs_seg_core.evaluate.robustness import measure
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.util.modalities import SENSORS
from mfs_seg_core.util.provenance import DataHash

CAMVID = SHARED_DATA / 'camvid/480x360'


def test_state_pays_in_dim_light():
    """One step with the state kept is worth more than one from rest, and no less than four."""
    segmenter = Segmenter.from_weights('street')
    drives = street_sequences(6, 6, segmenter.input_size, rate_hz=20.0, electrons=WHITE)
    results = evaluate(segmenter, drives)
    mious = {mode: result['miou'] for mode, result in results.items()}
    assert mious['stream@1'] > mious['reset@1'] + 0.02
    assert mious['stream@1'] > mious['repeat@4'] - 0.01
    assert mious['reset@1'] > 0.5


def test_two_senses_are_worth_more_than_one():
    """By night and without its camera, events save the day; and by day they do no harm."""
    segmenter = Segmenter.from_weights('street')
    results = measure(segmenter, ('day', 'night', 'outage'), tuple(SENSORS), TEST_SEED, 4, 6, 20.0,
                      DataHash())
    mious = {condition: {sense: figures['miou'] for sense, figures in row.items()}
             for condition, row in results.items()}
    assert mious['day']['fusion'] > max(mious['day']['camera'], mious['day']['events']) - 0.02
    for condition in ('night', 'outage'):
        assert mious[condition]['fusion'] > mious[condition]['camera'] + 0.05
        assert mious[condition]['fusion'] > mious[condition]['events'] - 0.02
    assert mious['day']['events'] > 0.45


def test_street_by_day():
    segmenter = Segmenter.from_weights('street')
    drives = street_sequences(6, 4, segmenter.input_size, rate_hz=20.0)
    assert evaluate(segmenter, drives, ['stream'])['stream@1']['miou'] > 0.6


@pytest.mark.skipif(not CAMVID.is_dir(), reason='no CamVid beside the repository')
def test_camvid():
    segmenter = Segmenter.from_weights('camvid')
    drives = ([frame for frame in drive][:40] for drive in camvid_sequences(CAMVID, 'val'))
    assert evaluate(segmenter, drives, ['reset'])['reset@1']['miou'] > 0.55
