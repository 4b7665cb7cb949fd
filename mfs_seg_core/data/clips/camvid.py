# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips of CamVid; see :mod:`mfs_seg_core.data.clips.clip` for the fields of a clip."""

from __future__ import annotations

import numpy as np

from mfs_seg_core.data.camvid import CamVid
from mfs_seg_core.data.clips.clip import Clip
from mfs_seg_core.labels import CAMVID


class CamVidClips:
    """CamVid's labelled images, each repeated for all T frames of a clip."""

    still, length, channels, classes = True, 1, 3, CAMVID

    def __init__(self, root: str, split: str, frames: int, step_s: float):
        self.stills, self.frames, self.step_s = CamVid(root, split), frames, step_s

    def __len__(self) -> int:
        return len(self.stills)

    def __getitem__(self, index: int) -> Clip:
        image, label, _ = self.stills[index]
        return Clip(np.broadcast_to(image, (self.frames, *image.shape)), label, self.step_s, False,
                    index)
