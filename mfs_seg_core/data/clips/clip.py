# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Clips for training: consecutive frames, and the label of the last one.

``length`` consecutive clips are a sequence: item i + 1 continues item i, unless i + 1 is a
multiple of ``length``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

# Value of one unit of an event tensor in bytes: log(1 + n) of up to 160 events fits a byte.
EVENT_BYTE_SCALE = 50


class Clip(NamedTuple):
    """
    Frames, and the label of the last one.

    - ``images``: ``[T, H, W, 3]`` uint8 RGB, or ``[T, H, W, C]`` float32 event tensors.
    - ``label``: ``[H, W]`` uint8 class ids, 255 for void.
    - ``step_s``: time between two frames, in seconds.
    - ``follows``: whether the clip continues the clip before it.
    - ``index``: index in the data set.
    - ``events``: ``[T, H, W, E]``, event tensors of the same times as the images, float32, or
      uint8 in units of 1 / :data:`EVENT_BYTE_SCALE`; empty: no event tensors.
    - ``present``: bool ``[T, 2]``, whether camera and events have data in a step; empty: both do.
    """

    images: np.ndarray
    label: np.ndarray
    step_s: float
    follows: bool = False
    index: int = 0
    events: np.ndarray = np.zeros(0, np.float32)
    present: np.ndarray = np.zeros(0, bool)


def tensors(events: np.ndarray) -> np.ndarray:
    """Return event tensors as float32, in units of events."""
    return (events.astype(np.float32) / np.float32(EVENT_BYTE_SCALE) if events.dtype == np.uint8
            else events)


def resize_frames(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize images ``[T, H, W, C]`` with any number of channels to a width and height."""
    # OpenCV resizes at most four channels at once.
    channels = range(0, images.shape[-1], 4)
    return np.stack([np.dstack([
        cv2.resize(np.ascontiguousarray(image[..., c:c + 4]), size, interpolation=cv2.INTER_AREA)
        for c in channels]) for image in images])


class ResizedClips:
    """Clips resized to a width and height, without augmentation."""

    def __init__(self, clips: Sequence[Clip], size: tuple[int, int]):
        self.clips, self.size = clips, size

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> Clip:
        clip = self.clips[index]
        events = tensors(clip.events)
        return clip._replace(
            images=resize_frames(clip.images, self.size),
            label=cv2.resize(clip.label, self.size, interpolation=cv2.INTER_NEAREST),
            events=resize_frames(events, self.size) if events.size else events)
