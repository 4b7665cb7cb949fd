# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Clips for training: a few frames in order, and the label of the last.

Where clips follow one another, ``length`` of them are a sequence: item i + 1 goes on where item i
ended, unless i + 1 is a multiple of ``length``.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np

from mfs_seg_core.data.camvid import CamVid
from mfs_seg_core.data.street import DimCamera, Street
from mfs_seg_core.labels import CAMVID, UNLABELLED


class Clip(NamedTuple):
    """
    One item.

    ``images``: ``[T, H, W, 3]`` uint8 RGB, or ``[T, H, W, C]`` float32, ready to be seen.
    ``label``: ``[H, W]`` uint8, 255 for void.
    ``step_s``: time between two frames. ``follows``: whether it goes on where the one before ended.
    ``index``: its place in the data set.
    """

    images: np.ndarray
    label: np.ndarray
    step_s: float
    follows: bool = False
    index: int = 0


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


class StreetClips:
    """
    Street, rendered once and kept in memory (130 kB a frame at 240x180).

    Every second drive is seen by a camera in dim light. The frame rate varies from sequence to
    sequence about ``rate_hz``, which is its geometric mean.
    """

    still, channels, classes = False, 3, CAMVID
    # A new drive costs as much as several frames: take a few sequences of each, well apart.
    PER_DRIVE = 6
    APART_S = 2.5
    # Fastest rate over slowest.
    RATES = 4.0

    def __init__(self, first_seed: int, sequences: int, length: int, frames: int,
                 size: tuple[int, int], rate_hz: float = 20.0):
        """
        :param sequences: their number; every six are of one drive.
        :param length: clips of a sequence.
        :param frames: frames of a clip.
        :param size: width and height in pixels.
        """
        self.length, self.frames = length, frames
        drives = range(first_seed, first_seed - (-sequences // self.PER_DRIVE))
        spread = self.RATES ** (np.random.default_rng(first_seed).random(sequences) - 0.5)
        self.steps_s = spread / rate_hz
        jobs = [(seed, self.steps_s[i * self.PER_DRIVE:(i + 1) * self.PER_DRIVE])
                for i, seed in enumerate(drives)]
        render = partial(_render, length=length, frames=frames, apart_s=self.APART_S, size=size)
        # Not forked: a copy of a process whose OpenCV has threads waits for them for ever.
        with ProcessPoolExecutor(mp_context=multiprocessing.get_context('spawn')) as pool:
            rendered = list(pool.map(render, jobs))
        self.images = np.concatenate([images for images, _ in rendered])
        self.labels = np.concatenate([labels for _, labels in rendered])

    def __len__(self) -> int:
        return len(self.images) * self.length

    def __getitem__(self, index: int) -> Clip:
        sequence, place = divmod(index, self.length)
        images = self.images[sequence, place * self.frames:(place + 1) * self.frames]
        return Clip(images, self.labels[sequence, place], float(self.steps_s[sequence]),
                    place > 0, index)


def _render(job: tuple[int, np.ndarray], length: int, frames: int, apart_s: float,
            size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Render the sequences of one drive: images of all frames, labels of the last of each clip."""
    seed, steps_s = job
    cv2.setNumThreads(1)
    street = Street(seed, *size)
    camera = DimCamera(street) if seed % 2 else street
    sequences = [[camera.frame(index * apart_s + i * step_s) for i in range(length * frames)]
                 for index, step_s in enumerate(steps_s.tolist())]
    return (np.array([[frame.image for frame in sequence] for sequence in sequences]),
            np.array([[frame.label for frame in sequence[frames - 1::frames]]
                      for sequence in sequences]))


class Augmented:
    """
    Clips, each as a random window of itself, mirrored or not, in changed colours.

    All frames of a sequence change alike: what moves in it is the scene. Where a clip stands still,
    the camera is made to move, and noise drawn for each frame.
    """

    # Width of the window in widths of the frame; above 1 the margin is void.
    SCALE = (0.45, 1.25)

    def __init__(self, clips, size: tuple[int, int], seed: int,
                 crop: tuple[int, int] | None = None):
        """
        :param size: width and height of whole frames.
        :param crop: width and height of what is cut from them; None: ``size``.
        """
        self.clips, self.seed = clips, seed
        self.crop = crop or size
        self.share = self.crop[0] / size[0]
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> Clip:
        images, label, *rest = self.clips[index]
        random = np.random.default_rng((self.seed, self.epoch, index // self.clips.length))
        scale = self.share * np.exp(random.uniform(*np.log(self.SCALE)))
        if self.clips.still and len(images) > 1:
            images = _driven(images, random)
        images, label = _window(images, label, scale, random)
        images = _resize(images, self.crop)
        label = cv2.resize(label, self.crop, interpolation=cv2.INTER_NEAREST)
        if random.random() < 0.5:
            images, label = images[:, :, ::-1], label[:, ::-1]
        if images.dtype == np.uint8:
            images = _recolour(images, random)
        return Clip(np.ascontiguousarray(images), np.ascontiguousarray(label), *rest)


def _resize(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize images ``[T, H, W, C]`` of any number of channels, of which OpenCV takes 4."""
    channels = range(0, images.shape[-1], 4)
    return np.stack([np.dstack([
        cv2.resize(np.ascontiguousarray(image[..., c:c + 4]), size, interpolation=cv2.INTER_AREA)
        for c in channels]) for image in images])


def _driven(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """
    Make frames that stand still those of a drive that ends in the last one.

    Before, everything was farther away: each frame is a little larger than the one before it.
    """
    height, width = images.shape[1:3]
    zoom = random.uniform(0, 0.03)
    drift = random.normal(0, 0.004, 2) * width
    centre = np.array([width / 2, random.uniform(0.35, 0.6) * height])
    noise = random.uniform(0, 8)
    driven = []
    for ago, image in zip(range(len(images) - 1, -1, -1), images):
        scale = 1 / (1 + zoom * ago)
        jolt = random.normal(0, 0.0015, 2) * width if ago else np.zeros(2)
        shift = centre * (1 - scale) + drift * ago + jolt
        motion = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        moved = cv2.warpAffine(image, motion, (width, height), flags=cv2.INTER_LINEAR,
                               borderMode=cv2.BORDER_REFLECT_101) if ago else image
        grain = random.standard_normal(image.shape, np.float32) * np.float32(noise)
        driven.append(np.clip(moved + grain, 0, 255).astype(np.uint8))
    return np.stack(driven)


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
    """Change brightness, contrast, gamma, saturation and the balance of the channels."""
    saturation = random.uniform(0.5, 1.4)
    grey = np.array([0.299, 0.587, 0.114])
    mixed = saturation * np.eye(3) + (1 - saturation) * np.tile(grey, (3, 1))
    images = np.stack([cv2.transform(np.ascontiguousarray(image), mixed) for image in images])
    gain = random.uniform(0.7, 1.3) * random.uniform(0.9, 1.1, 3)
    offset = random.uniform(-25, 25)
    curve = 255 * np.linspace(0, 1, 256) ** np.exp(random.uniform(-0.4, 0.4))
    table = np.clip(curve[:, None] * gain + offset, 0, 255).astype(np.uint8)
    return np.stack([table[:, c][images[..., c]] for c in range(3)], axis=-1)


class Plain:
    """Clips at a given size and otherwise as they are."""

    def __init__(self, clips, size: tuple[int, int]):
        self.clips, self.size = clips, size

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> Clip:
        images, label, *rest = self.clips[index]
        images = _resize(images, self.size)
        label = cv2.resize(label, self.size, interpolation=cv2.INTER_NEAREST)
        return Clip(images, label, *rest)
