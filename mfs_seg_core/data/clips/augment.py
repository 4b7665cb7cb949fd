# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random changes to clips for training: window, mirror, colours, motion, noise, missing sensors."""

from __future__ import annotations

import cv2
import numpy as np

from mfs_seg_core.data.clips.clip import Clip, resize_frames, tensors
from mfs_seg_core.data.clips.modality_dropout import senses_of
from mfs_seg_core.labels import UNLABELLED


class Augmented:
    """
    Clips, each as a random window of itself, mirrored or not, in changed colours.

    All frames of a sequence change alike: what moves in it is the scene. Where a clip stands still,
    the camera is made to move, and noise drawn for each frame. Of two senses, one or the other is
    absent at times.
    """

    # Width of the window in widths of the frame; above 1 the margin is void.
    SCALE = (0.45, 1.25)
    # Likewise with events, which a window cannot make as sharp as a lens would.
    EVENTS_SCALE = (0.8, 1.0)

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
        clip = self.clips[index]
        images, label, events = clip.images, clip.label, tensors(clip.events)
        sequence, place = divmod(index, self.clips.length)
        random = np.random.default_rng((self.seed, self.epoch, sequence))
        range_ = self.EVENTS_SCALE if events.size else self.SCALE
        scale = self.share * np.exp(random.uniform(*np.log(range_)))
        if self.clips.still and len(images) > 1:
            images = _driven(images, random)
        window, margin = _window(label.shape, scale, random)
        flip = slice(None, None, -1 if random.random() < 0.5 else 1)
        label = np.pad(label[window], margin, constant_values=UNLABELLED)
        label = cv2.resize(label, self.crop, interpolation=cv2.INTER_NEAREST)[:, flip]

        def seen_through(pictures: np.ndarray) -> np.ndarray:
            cut = np.pad(pictures[(slice(None), *window)], ((0, 0), *margin, (0, 0)))
            return np.ascontiguousarray(resize_frames(cut, self.crop)[:, :, flip])

        images = seen_through(images)
        if images.dtype == np.uint8:
            images = np.ascontiguousarray(_recolour(images, random))
        seen = clip.seen
        if events.size:
            events = seen_through(events)
            steps = len(images) * self.clips.length
            seen = senses_of(steps, random)[place * len(images):(place + 1) * len(images)]
        return clip._replace(images=images, label=np.ascontiguousarray(label), events=events,
                             seen=seen)


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


def _window(shape: tuple[int, int], scale: float, random: np.random.Generator
            ) -> tuple[tuple[slice, slice], tuple[tuple[int, int], tuple[int, int]]]:
    """Place a window ``scale`` times the frame's size: what it cuts out, and its margin around."""
    height, width = shape
    rows, columns = round(height * scale), round(width * scale)
    if scale > 1:
        top, left = (random.integers(0, rows - height + 1), random.integers(0, columns - width + 1))
        margin = ((top, rows - height - top), (left, columns - width - left))
        return (slice(None), slice(None)), margin
    top, left = random.integers(0, height - rows + 1), random.integers(0, width - columns + 1)
    return (slice(top, top + rows), slice(left, left + columns)), ((0, 0), (0, 0))


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
