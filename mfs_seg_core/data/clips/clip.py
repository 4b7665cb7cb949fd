# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Clips for training: a few frames in order, and the label of the last.

Where clips follow one another, ``length`` of them are a sequence: item i + 1 goes on where item i
ended, unless i + 1 is a multiple of ``length``.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from mfs_seg_core.data.camvid import CamVid
from mfs_seg_core.labels import CAMVID

# Event tensors that are kept in memory are bytes of so many to 1: log(1 + n) of up to 160 events.
BYTES = 50


class Clip(NamedTuple):
    """
    One item.

    ``images``: ``[T, H, W, 3]`` uint8 RGB, or ``[T, H, W, C]`` float32, ready to be seen.
    ``label``: ``[H, W]`` uint8, 255 for void.
    ``step_s``: time between two frames. ``follows``: whether it goes on where the one before ended.
    ``index``: its place in the data set.
    ``events``: ``[T, H, W, E]``, event tensors beside the images, as uint8 in :data:`BYTES` or as
    float32; empty: there are none.
    ``seen``: bool ``[T, 2]``, whether camera and events are there in a step; empty: all is.
    """

    images: np.ndarray
    label: np.ndarray
    step_s: float
    follows: bool = False
    index: int = 0
    events: np.ndarray = np.zeros(0, np.float32)
    seen: np.ndarray = np.zeros(0, bool)


class CamVidClips:
    """CamVid's labelled stills, each standing still for T frames."""

    still, length, channels, classes = True, 1, 3, CAMVID

    def __init__(self, root: str, split: str, frames: int, step_s: float):
        self.stills, self.frames, self.step_s = CamVid(root, split), frames, step_s

    def __len__(self) -> int:
        return len(self.stills)

    def __getitem__(self, index: int) -> Clip:
        image, label, _ = self.stills[index]
        return Clip(np.broadcast_to(image, (self.frames, *image.shape)), label, self.step_s, False,
                    index)


def tensors(events: np.ndarray) -> np.ndarray:
    """Give event tensors as the float32 that they stand for."""
    return events.astype(np.float32) / np.float32(BYTES) if events.dtype == np.uint8 else events


def resize_frames(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize images ``[T, H, W, C]`` of any number of channels, of which OpenCV takes 4."""
    channels = range(0, images.shape[-1], 4)
    return np.stack([np.dstack([
        cv2.resize(np.ascontiguousarray(image[..., c:c + 4]), size, interpolation=cv2.INTER_AREA)
        for c in channels]) for image in images])


class Plain:
    """Clips at a given size and otherwise as they are."""

    def __init__(self, clips, size: tuple[int, int]):
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
