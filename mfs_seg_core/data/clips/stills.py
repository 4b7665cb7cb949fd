# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips of single images; see :mod:`mfs_seg_core.data.clips.clip` for the fields of a clip."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfs_seg_core.data.clips.clip import Clip


class StillClips:
    """Labelled images, each repeated for all T frames of a clip."""

    still, length, channels = True, 1, 3

    def __init__(self, stills: Any, frames: int, step_s: float):
        """
        Make clips of images.

        :param stills: data set whose item i is (image, label, name), with its ``classes``.
        :param frames: frames per clip.
        :param step_s: nominal time between two frames, in seconds.
        """
        self.stills, self.frames, self.step_s = stills, frames, step_s
        self.classes = stills.classes

    def __len__(self) -> int:
        return len(self.stills)

    def __getitem__(self, index: int) -> Clip:
        image, label, _ = self.stills[index]
        return Clip(np.broadcast_to(image, (self.frames, *image.shape)), label, self.step_s, False,
                    index)
