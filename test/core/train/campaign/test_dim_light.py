# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Noise of dim light on a device: that of the camera of Street."""

import numpy as np
import pytest
import torch

from mfs_seg_core.data.street import DimCamera, Street
from mfs_seg_core.data.street.sensor import BRIGHTNESS, READ_NOISE, WHITE
from mfs_seg_core.train.campaign.dim_light import DimLight, dimmed, draw_light


@pytest.mark.parametrize('white', [20.0, 400.0])
def test_the_noise_is_that_of_the_dim_camera(white):
    street = Street(3, 160, 120)
    camera = DimCamera(street, white=(white, white), exposure_s=(1e-6, 1e-6))
    light = DimLight(torch.zeros(()), *(torch.tensor(float(value)) for value in (
        camera.white, camera.read_noise, camera.brightness)))
    torch.manual_seed(0)
    for time_s in (0.0, 1.0):
        pixels = torch.from_numpy(street.frame(time_s).image).float() / 255
        found = 255 * dimmed(pixels, light).numpy()
        # The camera cuts fractions off.
        expected = camera.frame(time_s).image + 0.5
        for level in (0.2, 0.5, 0.8):
            near = np.abs(pixels.numpy() - level) < 0.05
            assert near.sum() > 300
            for measure in (np.mean, np.std):
                assert measure(found[near]) == pytest.approx(measure(expected[near]), rel=0.08,
                                                             abs=0.5)


def test_light_has_the_ranges_of_the_dim_camera():
    torch.manual_seed(0)
    light = draw_light(10000, 'cpu')
    for values, (low, high) in ((light.white, WHITE), (light.read_noise, READ_NOISE),
                                (light.brightness, BRIGHTNESS)):
        assert low <= float(values.min()) < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < float(values.max()) <= high
    # As often in each octave.
    assert float(light.white.log().mean()) == pytest.approx(np.log(WHITE).mean(), abs=0.05)
