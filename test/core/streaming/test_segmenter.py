# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segmenter: masks from frames, with the state kept between them."""

import numpy as np
import pytest
from support.untrained import metadata_of, untrained

from mfs_seg_core.labels import CAMVID
from mfs_seg_core.streaming.segmenter import Segmenter

RANDOM = np.random.default_rng(0)


def frame(height=48, width=64):
    return RANDOM.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(params=[('fast', {}, 'native'), ('fast', {}, 'torch'),
                        ('paper', {'steps': 2}, 'torch')], ids=['native', 'fast', 'paper'])
def segmenter(request):
    config, changes, backend = request.param
    network = untrained(config, **changes)
    return Segmenter(network, metadata_of(network), backend=backend)


@pytest.mark.parametrize('height, width', [(48, 64), (96, 128), (301, 407), (20, 30), (1, 1)])
def test_mask_has_the_size_of_the_frame(segmenter, height, width):
    result = segmenter.step(frame(height, width), confidence=True, firing_rate=True)
    for array in (result.mask, result.confidence):
        assert array.shape == (height, width) and array.dtype == np.uint8
    assert result.mask.max() < len(CAMVID)
    assert result.confidence.min() >= 255 // len(CAMVID)
    assert 0 < result.firing_rate <= segmenter.metadata.config.levels
    plain = segmenter.step(frame())
    assert result.model_ms > 0 and plain.confidence is None and plain.firing_rate is None


def test_state_is_kept_and_reset(segmenter):
    still = frame()
    first = segmenter.step(still, confidence=True)
    second = segmenter.step(still, confidence=True)
    assert not np.array_equal(first.confidence, second.confidence)
    for name, potential in segmenter.state.items():
        assert potential.dtype == np.float32 and len(potential) == 1, name
    segmenter.reset()
    assert segmenter.state is None
    again = segmenter.step(still, confidence=True)
    assert np.array_equal(first.mask, again.mask)
    assert np.array_equal(first.confidence, again.confidence)


def test_the_leak_follows_the_time(segmenter):
    still = frame()

    def second(elapsed_s):
        segmenter.reset()
        segmenter.step(still)
        return segmenter.step(still, elapsed_s, confidence=True).confidence

    nominal = segmenter.metadata.nominal_step
    assert np.array_equal(second(None), second(nominal))
    assert not np.array_equal(second(None), second(nominal / 2))
    segmenter.reset()
    fresh = segmenter.step(still, confidence=True).confidence
    assert np.array_equal(second(1000 * nominal), fresh)
    for wrong in (-0.1, float('nan'), float('inf')):
        with pytest.raises(ValueError, match='elapsed_s is'):
            segmenter.step(still, wrong)


def test_another_size_resets_the_state(segmenter):
    small, large = frame(), frame(96, 128)
    segmenter.step(small)
    for still in (large, small):
        expected = segmenter.sibling().step(still, confidence=True)
        assert np.array_equal(segmenter.step(still, confidence=True).confidence,
                              expected.confidence)


def test_two_streams_share_a_network(segmenter):
    other = segmenter.sibling()
    still, moving = frame(), frame()
    expected = [segmenter.step(still, confidence=True) for _ in range(3)]
    segmenter.reset()
    for result in expected:
        other.step(moving)
        again = segmenter.step(still, confidence=True)
        assert np.array_equal(again.confidence, result.confidence)


@pytest.mark.parametrize('wrong', [
    np.zeros((48, 64), np.uint8), np.zeros((48, 64, 4), np.uint8), np.zeros((48, 64, 3)),
    np.zeros((0, 64, 3), np.uint8)])
def test_wrong_frames(segmenter, wrong):
    with pytest.raises(ValueError, match='a frame is uint8'):
        segmenter.step(wrong)


def test_read_only_frame(segmenter, recwarn):
    still = frame()
    still.flags.writeable = False
    segmenter.step(still)
    assert not recwarn.list


def test_wrong_device_and_size(segmenter):
    with pytest.raises(ValueError, match="device 'abacus'.*use cpu"):
        Segmenter.from_weights('street', 'abacus')
    with pytest.raises(ValueError, match='at least 32x32'):
        segmenter.sibling((16, 16))


def test_input_size_can_be_changed(segmenter):
    larger = segmenter.sibling((128, 96))
    assert larger.step(frame()).mask.shape == (48, 64)
    with pytest.raises(ValueError, match='no weights'):
        Segmenter.from_weights('nowhere')


def test_a_sibling_may_have_another_input_size(segmenter):
    larger = segmenter.sibling((128, 96))
    assert (larger.input_size, segmenter.sibling().input_size) == ((128, 96), segmenter.input_size)
    frame = np.zeros((48, 64, 3), np.uint8)
    assert larger.step(frame).mask.shape == segmenter.step(frame).mask.shape == (48, 64)
    assert all(larger.state[name].shape[2] > x.shape[2] for name, x in segmenter.state.items())
    with pytest.raises(ValueError, match='at least 32x32'):
        segmenter.sibling((16, 16))
