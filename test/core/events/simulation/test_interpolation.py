# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames interpolated by optical flow: their accuracy, and their use for simulated events."""

import cv2
import numpy as np
import pytest

from mfs_seg_core.data.street import EventCamera, Street
from mfs_seg_core.events.simulation.interpolation import interpolate
from mfs_seg_core.events.simulation.simulator import EventSettings


@pytest.fixture(scope='module')
def small_street() -> Street:
    return Street(4, 64, 48)


def pattern(shift: float) -> np.ndarray:
    """Return a smooth pattern shifted to the right by some pixels, float32 [72, 96]."""
    coarse = np.random.default_rng(0).random((12, 20), np.float32)
    large = cv2.resize(coarse, (140, 84), interpolation=cv2.INTER_CUBIC)
    move = np.float32([[1, 0, shift - 20], [0, 1, -6]])
    return np.clip(cv2.warpAffine(large, move, (96, 72), flags=cv2.INTER_LINEAR), 0, 1)


@pytest.mark.parametrize('number', [1, 3])
def test_moving_pattern(number):
    """Interpolated frames are nearer to the true ones than blended frames are."""
    found = interpolate(pattern(0), pattern(8), number)
    assert len(found) == number
    inside = np.s_[12:-12, 12:-12]
    for index, light in enumerate(found, 1):
        share = index / (number + 1)
        assert light.dtype == np.float32 and light.shape == (72, 96)
        true = pattern(8 * share)[inside]
        blend = ((1 - share) * pattern(0) + share * pattern(8))[inside]
        error, blend_error = (np.abs(frame - true).mean() for frame in (light[inside], blend))
        assert error < 0.25 * blend_error


def test_number_0_and_static_frames():
    assert interpolate(pattern(0), pattern(8), 0) == []
    static, = interpolate(pattern(0), pattern(0), 1)
    assert np.abs(static - pattern(0)).max() < 1e-3


def test_interpolation_makes_events_more_accurate():
    """Frames each 25 ms approximate frames each 2.5 ms better with interpolated ones."""
    quiet = EventSettings(leak_hz=0, noise_hz=0)

    def counts(street: Street, **how) -> np.ndarray:
        """Count events by 10 ms, pixel and polarity."""
        t, x, y, p = EventCamera(street, settings=quiet, **how).events(1, 1.05)
        cells = np.zeros((5, 120, 160, 2))
        np.add.at(cells, ((t - 1_000_000) // 10_000, y, x, p.astype(int)), 1)
        return cells.ravel()

    gains = []
    for seed in (0, 2):
        street = Street(seed, 160, 120)
        fine, coarse, interpolated = (counts(street, **how) for how in (
            {'step_s': 0.0025}, {'step_s': 0.025}, {'step_s': 0.025, 'interpolated': 1}))
        gains.append(np.corrcoef(fine, interpolated)[0, 1]
                     - np.corrcoef(fine, coarse)[0, 1])
        assert abs(interpolated.sum() - fine.sum()) < abs(coarse.sum() - fine.sum())
    assert min(gains) > 0.05


def test_interpolated_stream_is_continuous(small_street):
    camera = EventCamera(small_street, step_s=0.025, interpolated=1)
    first, second = camera.events(1, 1.05), camera.events(1.05, 1.1)
    whole = EventCamera(small_street, step_s=0.025, interpolated=1).events(1, 1.1)
    for one, other, both in zip(first, second, whole):
        assert np.array_equal(np.concatenate([one, other]), both)


def test_negative_number(small_street):
    with pytest.raises(ValueError, match='^interpolated is -1: give a number of 0 or more'):
        EventCamera(small_street, interpolated=-1)
