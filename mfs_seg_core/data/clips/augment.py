# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Augmentation of clips: window, mirroring, colours, motion, noise and modality dropout."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from mfs_seg_core.data.clips.clip import Clip, resize_frames, tensors
from mfs_seg_core.data.clips.modality_dropout import draw_modalities
from mfs_seg_core.labels import UNLABELLED


class Augmented:
    """
    Clips with random windows, mirroring and colours.

    The clips of a sequence share window, mirroring and colours, so that the motion in it is that
    of the scene. Clips of one repeated image get the motion of a camera, and noise drawn for each
    frame. Clips with images and events get modality dropout.
    """

    # Range of the window's width in widths of the frame; above 1 the margin is void.
    SCALE = (0.45, 1.25)
    # The same for event tensors: enlarging them yields no sharper events, unlike a longer lens.
    EVENTS_SCALE = (0.8, 1.0)

    def __init__(self, clips: Any, size: tuple[int, int], seed: int,
                 crop: tuple[int, int] | None = None):
        """
        Augment clips.

        :param clips: clips of a data set, with its attributes ``length`` and ``still``.
        :param size: width and height of whole frames, in pixels.
        :param seed: seed of the random numbers, together with ``epoch`` and the sequence.
        :param crop: width and height of a window, in pixels; None: ``size``.
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
            images = _move_camera(images, random)
        window, margin = _window(label.shape, scale, random)
        flip = slice(None, None, -1 if random.random() < 0.5 else 1)
        label = np.pad(label[window], margin, constant_values=UNLABELLED)
        label = cv2.resize(label, self.crop, interpolation=cv2.INTER_NEAREST)[:, flip]

        def cut(frames: np.ndarray) -> np.ndarray:
            padded = np.pad(frames[(slice(None), *window)], ((0, 0), *margin, (0, 0)))
            return np.ascontiguousarray(resize_frames(padded, self.crop)[:, :, flip])

        images = cut(images)
        if images.dtype == np.uint8:
            images = np.ascontiguousarray(_recolour(images, random))
        present = clip.present
        if events.size:
            events = cut(events)
            steps = len(images) * self.clips.length
            part = slice(place * len(images), (place + 1) * len(images))
            present = draw_modalities(steps, random)[part]
        return clip._replace(images=images, label=np.ascontiguousarray(label), events=events,
                             present=present)


def _move_camera(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """
    Simulate a forward drive in repeated frames, ending at the last frame.

    Objects come closer on a drive: each frame is magnified relative to the one before.
    """
    height, width = images.shape[1:3]
    zoom = random.uniform(0, 0.03)
    drift = random.normal(0, 0.004, 2) * width
    centre = np.array([width / 2, random.uniform(0.35, 0.6) * height])
    noise = random.uniform(0, 8)
    moved = []
    for ago, image in zip(range(len(images) - 1, -1, -1), images):
        scale = 1 / (1 + zoom * ago)
        jolt = random.normal(0, 0.0015, 2) * width if ago else np.zeros(2)
        shift = centre * (1 - scale) + drift * ago + jolt
        motion = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        frame = cv2.warpAffine(image, motion, (width, height), flags=cv2.INTER_LINEAR,
                               borderMode=cv2.BORDER_REFLECT_101) if ago else image
        grain = random.standard_normal(image.shape, np.float32) * np.float32(noise)
        moved.append(np.clip(frame + grain, 0, 255).astype(np.uint8))
    return np.stack(moved)


def _window(shape: tuple[int, int], scale: float, random: np.random.Generator
            ) -> tuple[tuple[slice, slice], tuple[tuple[int, int], tuple[int, int]]]:
    """Draw the place of a window; return its slices of the frame, and the margin to pad it with."""
    height, width = shape
    rows, columns = round(height * scale), round(width * scale)
    if scale > 1:
        top, left = (random.integers(0, rows - height + 1), random.integers(0, columns - width + 1))
        margin = ((top, rows - height - top), (left, columns - width - left))
        return (slice(None), slice(None)), margin
    top, left = random.integers(0, height - rows + 1), random.integers(0, width - columns + 1)
    return (slice(top, top + rows), slice(left, left + columns)), ((0, 0), (0, 0))


def _recolour(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Change brightness, contrast, gamma, saturation and white balance at random."""
    saturation = random.uniform(0.5, 1.4)
    grey = np.array([0.299, 0.587, 0.114])
    mixed = saturation * np.eye(3) + (1 - saturation) * np.tile(grey, (3, 1))
    images = np.stack([cv2.transform(np.ascontiguousarray(image), mixed) for image in images])
    gain = random.uniform(0.7, 1.3) * random.uniform(0.9, 1.1, 3)
    offset = random.uniform(-25, 25)
    curve = 255 * np.linspace(0, 1, 256) ** np.exp(random.uniform(-0.4, 0.4))
    table = np.clip(curve[:, None] * gain + offset, 0, 255).astype(np.uint8)
    return np.stack([table[:, c][images[..., c]] for c in range(3)], axis=-1)
