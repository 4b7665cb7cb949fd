# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Clips for training: a few frames in order, and the label of the last.

An item is (images ``[T, H, W, 3]`` uint8 RGB, label ``[H, W]`` uint8 with 255 for void).
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import cv2
import numpy as np

from mfs_seg_core.data.camvid import CamVid
from mfs_seg_core.data.street import Street
from mfs_seg_core.labels import UNLABELLED


class CamVidClips:
    """CamVid's labelled stills, each standing still for T frames."""

    def __init__(self, root: str, split: str, frames: int):
        self.stills, self.frames = CamVid(root, split), frames

    def __len__(self) -> int:
        return len(self.stills)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        image, label, _ = self.stills[index]
        return np.broadcast_to(image, (self.frames, *image.shape)), label


class StreetClips:
    """Street, rendered once and kept in memory (170 kB a frame at 240x180)."""

    # A new drive costs as much as several frames: take a few clips of each, well apart.
    PER_DRIVE = 6
    APART_S = 2.5

    def __init__(self, first_seed: int, clips: int, frames: int, size: tuple[int, int],
                 rate_hz: float = 20.0):
        """
        :param clips: number of clips; every six are of one drive.
        :param size: width and height in pixels.
        """
        drives = range(first_seed, first_seed - (-clips // self.PER_DRIVE))
        times = np.arange(self.PER_DRIVE)[:, None] * self.APART_S + np.arange(frames) / rate_hz
        render = partial(_render, times=times, size=size)
        # Not forked: a copy of a process whose OpenCV has threads waits for them for ever.
        with ProcessPoolExecutor(mp_context=multiprocessing.get_context('spawn')) as pool:
            rendered = list(pool.map(render, drives))
        self.images = np.concatenate([images for images, _ in rendered])[:clips]
        self.labels = np.concatenate([labels for _, labels in rendered])[:clips]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self.images[index], self.labels[index]


def _render(seed: int, times: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Render one drive at ``times [clips, T]``: images of all, labels of the last of each clip."""
    cv2.setNumThreads(1)
    street = Street(seed, *size)
    frames = [[street.frame(time_s) for time_s in clip] for clip in times]
    return (np.array([[frame.image for frame in clip] for clip in frames]),
            np.array([clip[-1].label for clip in frames]))


class Augmented:
    """
    Clips, each as a random window of itself, mirrored or not, in changed colours.

    All frames of a clip change alike: what moves in it is the scene.
    """

    # Width of the window in widths of the frame; above 1 the margin is void.
    SCALE = (0.45, 1.25)

    def __init__(self, clips, size: tuple[int, int], seed: int):
        self.clips, self.size, self.seed = clips, size, seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        images, label = self.clips[index]
        random = np.random.default_rng((self.seed, self.epoch, index))
        scale = np.exp(random.uniform(*np.log(self.SCALE)))
        images, label = _window(images, label, scale, random)
        images = np.stack([cv2.resize(image, self.size, interpolation=cv2.INTER_AREA)
                           for image in images])
        label = cv2.resize(label, self.size, interpolation=cv2.INTER_NEAREST)
        if random.random() < 0.5:
            images, label = images[:, :, ::-1], label[:, ::-1]
        return _recolour(images, random), np.ascontiguousarray(label)


def _window(images: np.ndarray, label: np.ndarray, scale: float, random: np.random.Generator
            ) -> tuple[np.ndarray, np.ndarray]:
    """Cut a window ``scale`` times the frame's size, with a margin where it is larger."""
    height, width = label.shape
    rows, columns = round(height * scale), round(width * scale)
    if scale > 1:
        top, left = (random.integers(0, rows - height + 1), random.integers(0, columns - width + 1))
        margin = ((top, rows - height - top), (left, columns - width - left))
        images = np.pad(images, ((0, 0), *margin, (0, 0)))
        return images, np.pad(label, margin, constant_values=UNLABELLED)
    top, left = random.integers(0, height - rows + 1), random.integers(0, width - columns + 1)
    window = (slice(top, top + rows), slice(left, left + columns))
    return images[:, window[0], window[1]], label[window]


def _recolour(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Change brightness, contrast and the balance of the channels."""
    gain = random.uniform(0.7, 1.3) * random.uniform(0.92, 1.08, 3)
    offset = random.uniform(-25, 25)
    table = np.clip(np.arange(256)[:, None] * gain + offset, 0, 255).astype(np.uint8)
    return np.stack([table[:, c][images[..., c]] for c in range(3)], axis=-1)


class Plain:
    """Clips at a given size and otherwise as they are."""

    def __init__(self, clips, size: tuple[int, int]):
        self.clips, self.size = clips, size

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        images, label = self.clips[index]
        images = np.stack([cv2.resize(image, self.size, interpolation=cv2.INTER_AREA)
                           for image in images])
        return images, cv2.resize(label, self.size, interpolation=cv2.INTER_NEAREST)
