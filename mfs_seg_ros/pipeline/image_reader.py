# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert the image messages of one camera, and refuse those that cannot be segmented."""

from __future__ import annotations

import time
from collections.abc import Callable

from mfs_seg_core.images import ImageStream, MessageError
from mfs_seg_core.streaming.image_quality import exposure
from mfs_seg_core.streaming.synchronizer import DecodedImage
from mfs_seg_ros.diagnostics.drops import DropLog
from mfs_seg_ros.diagnostics.health import Health
from mfs_seg_ros.messages.images import stamp_ns
from mfs_seg_ros.pipeline.input_queue import Timed

# A smaller image has nothing to segment.
MIN_SIDE = 8
# Seconds between two measurements of the exposure.
EXPOSURE_PERIOD_S = 1.0


class ImageReader:
    """
    Converts images, and describes one a second for the diagnostics.

    :param stream: converts the images.
    :param health: takes the descriptions and measurements.
    :param log: logs remarks on the images.
    :param now_ns: returns the ROS time in nanoseconds.
    """

    def __init__(self, stream: ImageStream, health: Health, log: DropLog,
                 now_ns: Callable[[], int]) -> None:
        self._stream, self._health, self._log, self._now_ns = stream, health, log, now_ns
        self._next_exposure_s = 0.0

    def is_too_old(self, received: Timed, max_age_s: float) -> bool:
        """Return whether an image is older than ``max_age_s`` seconds; 0: none is."""
        return max_age_s > 0 and self._now_ns() - stamp_ns(received.message) > 1e9 * max_age_s

    def read(self, received: Timed) -> DecodedImage:
        """
        Convert an image.

        :param received: SerialisedImage or CompressedImage.
        :returns: the image.
        :raises ValueError: it cannot be converted or is too small; one sentence.
        """
        message = received.message
        pixels = self._stream.rgb(message)
        for sentence in self._stream.new_remarks():
            self._log.info(sentence)
        height, width = pixels.shape[:2]
        if min(height, width) < MIN_SIDE:
            raise MessageError(
                f'the image is {width}x{height} pixels: send at least {MIN_SIDE}x{MIN_SIDE}')
        now_s = time.monotonic()
        if now_s >= self._next_exposure_s:
            self._next_exposure_s = now_s + EXPOSURE_PERIOD_S
            self._health.exposed(*exposure(pixels))
            self._health.described(self._stream.description, self._stream.fault)
        return DecodedImage(pixels, message.header, stamp_ns(message),
                            getattr(message, 'encoding', '') or message.format,
                            received.received_s)
