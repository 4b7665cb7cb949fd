# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures between two pictures, by optical flow: much quicker than to render them."""

from __future__ import annotations

import cv2
import numpy as np


def between(before: np.ndarray, after: np.ndarray, number: int) -> list[np.ndarray]:
    """
    Guess what was seen between two moments, at equal distances.

    Both pictures are moved along the flow to the moment, and the nearer one counts more (Jiang et
    al., Super SloMo, CVPR 2018, equation 1 without its visibility maps).

    :param before, after: light, float32 ``[H, W]`` in shares of white; of 12 pixels a side or more.
    :returns: ``number`` pictures of the same kind.
    """
    if number == 0:
        return []
    # Near enough to the response of a camera, and much quicker than its power.
    grey_before, grey_after = (
        np.sqrt(65025 * np.clip(light, 0, 1)).astype(np.uint8)
        for light in (before, after))
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    flow = search.calc(grey_before, grey_after, None)
    place = np.dstack(np.meshgrid(*(np.arange(size, dtype=np.float32)
                                    for size in before.shape[::-1])))
    found = []
    for index in range(1, number + 1):
        share = index / (number + 1)
        moved = [cv2.remap(light, place + flow * np.float32(way), None, cv2.INTER_LINEAR,
                           borderMode=cv2.BORDER_REPLICATE)
                 for light, way in ((before, -share), (after, 1 - share))]
        found.append(cv2.addWeighted(moved[0], 1 - share, moved[1], share, 0))
    return found
