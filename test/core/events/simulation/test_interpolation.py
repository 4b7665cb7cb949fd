# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Moments that are guessed by optical flow: where they must lie, and what they are good for."""

import cv2
import numpy as np
import pytest

from mfs_seg_core.data.street import EventCamera, Street
from mfs_seg_core.events.simulation.interpolation import interpolate
from mfs_seg_core.events.simulation.simulator import EventSettings


def pattern(shift: float) -> np.ndarray:
    """Return a soft pattern moved to the right by some pixels, float32 [72, 96]."""
    coarse = np.random.default_rng(0).random((12, 20), np.float32)
    large = cv2.resize(coarse, (140, 84), interpolation=cv2.INTER_CUBIC)
    move = np.float32([[1, 0, shift - 20], [0, 1, -6]])
    return np.clip(cv2.warpAffine(large, move, (96, 72), flags=cv2.INTER_LINEAR), 0, 1)


@pytest.mark.parametrize('number', [1, 3])
def test_what_moves_is_found_on_its_way(number):
    found = interpolate(pattern(0), pattern(8), number)
    assert len(found) == number
    inside = np.s_[12:-12, 12:-12]
    for index, light in enumerate(found, 1):
        share = index / (number + 1)
        assert light.dtype == np.float32 and light.shape == (72, 96)
        true = pattern(8 * share)[inside]
        faded = ((1 - share) * pattern(0) + share * pattern(8))[inside]
        error, error_of_fading = (np.abs(light_ - true).mean() for light_ in (light[inside], faded))
        assert error < 0.25 * error_of_fading


def test_still_pictures_stay_and_none_may_be_asked_for():
    assert interpolate(pattern(0), pattern(8), 0) == []
    still, = interpolate(pattern(0), pattern(0), 1)
    assert np.abs(still - pattern(0)).max() < 1e-3


def test_guessed_moments_bring_events_nearer_to_the_truth():
    quiet = EventSettings(leak_hz=0, noise_hz=0)

    def counts(street: Street, **how) -> np.ndarray:
        """Count events by 10 ms, pixel and polarity."""
        t, x, y, p = EventCamera(street, settings=quiet, **how).events(1, 1.1)
        cells = np.zeros((10, 120, 160, 2))
        np.add.at(cells, ((t - 1_000_000) // 10_000, y, x, p.astype(int)), 1)
        return cells.ravel()

    gains = []
    for seed in (0, 2):
        street = Street(seed, 160, 120)
        fine, coarse, guessed = (counts(street, **how) for how in (
            {'step_s': 0.0025}, {'step_s': 0.025}, {'step_s': 0.025, 'between': 1}))
        gains.append(np.corrcoef(fine, guessed)[0, 1] - np.corrcoef(fine, coarse)[0, 1])
        assert abs(guessed.sum() - fine.sum()) < abs(coarse.sum() - fine.sum())
    assert min(gains) > 0.05


def test_guessed_moments_continue_one_stream():
    street = Street(4, 64, 48)
    camera = EventCamera(street, step_s=0.025, between=1)
    first, second = camera.events(1, 1.05), camera.events(1.05, 1.1)
    whole = EventCamera(street, step_s=0.025, between=1).events(1, 1.1)
    for one, other, both in zip(first, second, whole):
        assert np.array_equal(np.concatenate([one, other]), both)


def test_a_number_below_0_is_refused():
    with pytest.raises(ValueError, match='^between is -1: give a number of 0 or more'):
        EventCamera(Street(0, 16, 16), between=-1)
