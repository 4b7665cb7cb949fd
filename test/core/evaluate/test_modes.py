# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the state resets in each mode of the evaluation."""

import numpy as np
import pytest
from support.untrained import metadata_of, untrained

from mfs_seg_core.evaluate.modes import evaluate
from mfs_seg_core.streaming.segmenter import Segmenter

IMAGE = np.random.default_rng(5).integers(0, 256, (32, 48, 3), np.uint8)
FRAME = IMAGE, np.full((32, 48), 3, np.uint8), 0.05


@pytest.fixture(scope='module')
def segmenter():
    """Return a stream through an untrained network."""
    network = untrained('fast')
    return Segmenter(network, metadata_of(network))


def counted(segmenter: Segmenter, mode: str, *frames: int) -> dict:
    """Return the figures of a mode on sequences of this many equal frames."""
    return evaluate(segmenter, [[FRAME] * count for count in frames], [mode], 2).popitem()[1]


def test_a_sequence_starts_from_rest_and_keeps_its_state(segmenter):
    one, apart, together = (
        counted(segmenter, 'stream', *frames) for frames in ((1,), (1, 1), (2,)))
    assert apart['firing_rate'] == one['firing_rate'] and apart['iou'] == one['iou']
    assert together['firing_rate'] != one['firing_rate']


@pytest.mark.parametrize('mode', ['reset', 'repeat'])
def test_each_frame_starts_from_rest(segmenter, mode):
    one, together = counted(segmenter, mode, 1), counted(segmenter, mode, 2)
    assert together['firing_rate'] == one['firing_rate'] and together['iou'] == one['iou']


def test_repeated_steps_keep_the_state_of_their_frame(segmenter):
    once, twice = counted(segmenter, 'reset', 1), counted(segmenter, 'repeat', 1)
    assert once['firing_rate'] != twice['firing_rate']
