# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Image quality: detect covered, saturated or dark cameras by the contrast of large patches.

The firing rate does not detect them: with the shipped weights it is 0.35 to 0.40 spikes for black,
white or grey images, and 0.39 to 0.49 for drives by night and by day. The contrast does: below 0.5
of 255 behind a lens cap, even with noise of a high gain; 5 and more on the darkest drives of
Street; 25 and more by day.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# The mean of a patch removes the noise of single pixels.
ROWS, COLUMNS = 12, 16


class Exposure(NamedTuple):
    """Mean and standard deviation of the grey levels of patches, 0..255."""

    brightness: float
    contrast: float


def exposure(image: np.ndarray) -> Exposure:
    """
    Measure an image, in about 1 ms for 1280x720.

    :param image: uint8 ``[H, W, 3]``, at least 1 pixel. One with fewer than 16x12 pixels has as
        many patches as pixels.
    :returns: brightness and contrast.
    """
    height, width = image.shape[:2]
    rows, columns = min(ROWS, height), min(COLUMNS, width)
    patches = image[:height // rows * rows, :width // columns * columns].reshape(
        rows, height // rows, columns, -1).mean((1, 3))
    return Exposure(float(patches.mean()), float(patches.std()))
