# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames interpolated by optical flow, which is much quicker than rendering them."""

from __future__ import annotations

import cv2
import numpy as np


def interpolate(before: np.ndarray, after: np.ndarray, number: int) -> list[np.ndarray]:
    """
    Interpolate frames at equal distances in time between two frames.

    Both frames are warped along the flow to the time of the new one and blended, the nearer one
    with the larger weight (Jiang et al., Super SloMo, CVPR 2018, equation 1 without its visibility
    maps).

    :param before: first frame as linear light, float32 ``[H, W]``, 1 is white; H and W at least 12.
    :param after: second frame, likewise.
    :param number: number of new frames.
    :returns: ``number`` frames as linear light, float32 ``[H, W]``.
    """
    if number == 0:
        return []
    # The root approximates the gamma of a camera, and is much quicker than the exact power.
    grey_before, grey_after = (
        np.sqrt(65025 * np.clip(light, 0, 1)).astype(np.uint8)
        for light in (before, after))
    optical_flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    flow = optical_flow.calc(grey_before, grey_after, None)
    place = np.dstack(np.meshgrid(*(np.arange(size, dtype=np.float32)
                                    for size in before.shape[::-1])))
    frames = []
    for index in range(1, number + 1):
        share = index / (number + 1)
        warped = [cv2.remap(light, place + flow * np.float32(way), None, cv2.INTER_LINEAR,
                            borderMode=cv2.BORDER_REPLICATE)
                  for light, way in ((before, -share), (after, 1 - share))]
        frames.append(cv2.addWeighted(warped[0], 1 - share, warped[1], share, 0))
    return frames
