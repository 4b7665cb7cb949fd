# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of the shipped weights, on drives outside the training data."""

from itertools import islice

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


# Weights of Street, and what their state gains in dim light: from rest, the larger ones are better.
GAINS = {'street': 0.02, 'street_lite': 0.0}


@pytest.fixture(scope='module', params=GAINS)
def street(request):
    return Segmenter.from_weights(request.param)


def test_state_improves_masks_in_dim_light(street):
    """One step with the state kept beats one from rest, and equals four of the same frame."""
    drives = street_sequences(6, 4, street.input_size, rate_hz=20.0, electrons=WHITE)
    # Half the drives: the margins of the first three are as narrow as the thresholds.
    drives = islice(drives, 3, None)
    results = evaluate(street, drives)
    mious = {mode: result['miou'] for mode, result in results.items()}
    assert mious['stream@1'] > mious['reset@1'] + GAINS[street.name]
    assert mious['stream@1'] > mious['repeat@4'] - 0.01
    assert mious['reset@1'] > 0.5


def mious_of(segmenter, condition, seeds, frames, rate_hz):
    results = measure(segmenter, (condition,), tuple(SENSORS), TEST_SEED, seeds, frames, rate_hz,
                      DataHash())
    return {modality: figures['miou'] for modality, figures in results[condition].items()}


def test_fusion_by_day(street):
    """By day, events do not make the masks of the camera worse, and are of use alone."""
    mious = mious_of(street, 'day', seeds=2, frames=4, rate_hz=20.0)
    assert mious['fusion'] > max(mious['camera'], mious['events']) - 0.02
    assert mious['events'] > 0.45


# At 10 Hz, an outage of a second takes half the frames.
@pytest.mark.parametrize('condition, seeds, rate_hz', [('night', 2, 20.0), ('outage', 1, 10.0)])
def test_fusion_without_a_good_camera(street, condition, seeds, rate_hz):
    """Without light, or without frames, fusion beats the camera and is as good as events."""
    mious = mious_of(street, condition, seeds, 4, rate_hz)
    assert mious['fusion'] > mious['camera'] + 0.05
    assert mious['fusion'] > mious['events'] - 0.02


def test_street_by_day(street):
    drives = street_sequences(2, 4, street.input_size, rate_hz=20.0)
    assert evaluate(street, drives, ['stream'])['stream@1']['miou'] > 0.6


@pytest.mark.skipif(not CAMVID.is_dir(),
                    reason=f'no CamVid in {CAMVID}: its weights were not measured')
def test_camvid():
    segmenter = Segmenter.from_weights('camvid')
    drives = (islice(drive, 15) for drive in camvid_sequences(CAMVID, 'val'))
    assert evaluate(segmenter, drives, ['reset'])['reset@1']['miou'] > 0.55
