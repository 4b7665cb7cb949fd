# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images resized by the engine: the pixels of torch, with which networks are trained."""

import numpy as np
import pytest
import torch

from mfs_seg_core.engine.resize import resize_image
from mfs_seg_core.streaming.preprocess import resize_images


def by_torch(image, size):
    pixels = torch.tensor(image).permute(2, 0, 1)[None]
    return resize_images(pixels, size)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize('size', [(640, 480), (641, 479), (346, 260), (240, 181), (100, 90),
                                  (64, 48), (3, 2), (1, 1), (1, 300), (300, 1)])
@pytest.mark.parametrize('wanted', [(240, 180), (64, 48), (33, 57)])
def test_pixels_are_those_of_torch(size, wanted):
    random = np.random.default_rng(sum(size))
    for image in (random.integers(0, 256, (size[1], size[0], 3), np.uint8),
                  # Sums at both ends of the range.
                  random.integers(0, 2, (size[1], size[0], 3), np.uint8) * np.uint8(255)):
        result = resize_image(image, wanted)
        assert result.dtype == np.uint8 and result.shape == (wanted[1], wanted[0], 3)
        assert np.array_equal(result, by_torch(image, wanted))


def test_random_sizes():
    random = np.random.default_rng(0)
    for _ in range(100):
        width, height, to_width, to_height = random.integers(1, 120, 4).tolist()
        image = random.integers(0, 256, (height, width, 3), np.uint8)
        assert np.array_equal(resize_image(image, (to_width, to_height)),
                              by_torch(image, (to_width, to_height)))


def test_views_and_read_only_images():
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    flipped = image[::-1, ::-2]
    flipped.flags.writeable = False
    assert np.array_equal(resize_image(flipped, (32, 32)), by_torch(flipped.copy(), (32, 32)))


def test_the_result_is_a_copy():
    image = np.zeros((32, 32, 3), np.uint8)
    result = resize_image(image, (32, 32))
    image[:] = 1
    assert not result.any()
