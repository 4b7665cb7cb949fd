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
from mfs_seg_core.data.senses import senses_of
from mfs_seg_core.labels import CAMVID, UNLABELLED

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
            return np.ascontiguousarray(_resize(cut, self.crop)[:, :, flip])

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


def tensors(events: np.ndarray) -> np.ndarray:
    """Give event tensors as the float32 that they stand for."""
    return events.astype(np.float32) / np.float32(BYTES) if events.dtype == np.uint8 else events


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
            images=_resize(clip.images, self.size),
            label=cv2.resize(clip.label, self.size, interpolation=cv2.INTER_NEAREST),
            events=_resize(events, self.size) if events.size else events)
