# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Join images, masks and confidences of one stamp to steps of a view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mfs_seg_core.view.step import ViewedStep

# Images that wait for their mask: many more than a segmenter holds.
MAX_IMAGES = 32


class ViewedSteps:
    """
    Joins messages by stamp.

    A segmenter publishes the confidence after its mask, so a mask waits for it, at most until the
    next mask.

    :param confidence: whether there are confidences.
    """

    def __init__(self, confidence: bool) -> None:
        self._confidence = confidence
        self._images: dict[int, np.ndarray] = {}
        self._pending: ViewedStep | None = None

    def add_image(self, stamp_ns: int, image: np.ndarray) -> None:
        """Keep an image, uint8 ``[H, W, 3]`` RGB, for the mask of its stamp."""
        self._images[stamp_ns] = image
        while len(self._images) > MAX_IMAGES:
            self._images.pop(next(iter(self._images)))

    def add_mask(self, stamp_ns: int, mask: np.ndarray, times_ms: Mapping[str, float],
                 events: np.ndarray | None = None) -> list[ViewedStep]:
        """
        Add a mask.

        :param stamp_ns: stamp in nanoseconds.
        :param mask: uint8 ``[H, W]`` of class ids.
        :param times_ms: times in milliseconds by name.
        :param events: image of the events of the step.
        :returns: steps that are complete now, oldest first.
        """
        before = [self._pending] if self._pending else []
        self._pending = None
        step = ViewedStep(stamp_ns, self._images.pop(stamp_ns, None), events, mask,
                          times_ms=times_ms)
        if not self._confidence:
            return [*before, step]
        self._pending = step
        return before

    def add_confidence(self, stamp_ns: int, confidence: np.ndarray) -> list[ViewedStep]:
        """
        Add a confidence.

        :param stamp_ns: stamp in nanoseconds.
        :param confidence: uint8 ``[H, W]``, probability of the class in 0..255.
        :returns: the step that is complete now, if its mask waits.
        """
        if self._pending is None or self._pending.stamp_ns != stamp_ns:
            return []
        step, self._pending = self._pending, None
        return [replace(step, confidence=confidence)]

    def rest(self) -> list[ViewedStep]:
        """Return the step that still waits, if there is one."""
        step, self._pending = self._pending, None
        return [step] if step else []
