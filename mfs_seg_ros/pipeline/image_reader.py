# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert the image messages of one camera, and refuse those that cannot be segmented."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from mfs_seg_core.images import MessageError
from mfs_seg_core.streaming.image_quality import exposure
from mfs_seg_ros.diagnostics.health import Health
from mfs_seg_ros.messages.images import stamp_ns
from mfs_seg_ros.pipeline.input_queue import Timed
from mfs_seg_ros.pipeline.synchronizer import DecodedImage

# A smaller image has nothing to segment.
MIN_SIDE = 8
# Seconds between two measurements of the exposure.
EXPOSURE_PERIOD_S = 1.0


class ImageReader:
    """
    Converts images, and measures the exposure of one a second for the diagnostics.

    :param health: takes the measurements.
    :param now_ns: returns the ROS time in nanoseconds.
    """

    def __init__(self, health: Health, now_ns: Callable[[], int]) -> None:
        self._health = health
        self._now_ns = now_ns
        self._next_exposure_s = 0.0

    def is_too_old(self, received: Timed, max_age_s: float) -> bool:
        """Return whether an image is older than ``max_age_s`` seconds; 0: none is."""
        _, message = received.message
        return max_age_s > 0 and self._now_ns() - stamp_ns(message) > 1e9 * max_age_s

    def read(self, received: Timed) -> DecodedImage:
        """
        Convert an image.

        :param received: pair of the conversion to uint8 ``[H, W, 3]`` RGB, and the message.
        :returns: the image.
        :raises ValueError: it cannot be converted or is too small; one sentence.
        """
        convert: Callable[[Any], np.ndarray]
        convert, message = received.message
        pixels = convert(message)
        height, width = pixels.shape[:2]
        if min(height, width) < MIN_SIDE:
            raise MessageError(
                f'the image is {width}x{height} pixels: send at least {MIN_SIDE}x{MIN_SIDE}')
        now_s = time.monotonic()
        if now_s >= self._next_exposure_s:
            self._next_exposure_s = now_s + EXPOSURE_PERIOD_S
            self._health.exposed(*exposure(pixels))
        return DecodedImage(pixels, message.header, stamp_ns(message),
                            getattr(message, 'encoding', '') or message.format,
                            received.received_s)
