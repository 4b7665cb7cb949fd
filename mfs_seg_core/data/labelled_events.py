# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of events with labels at some moments: what their loaders share."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from mfs_seg_core.events.types import Events
from mfs_seg_core.labels import UNLABELLED, ClassSet


class LabelledEvents(NamedTuple):
    """
    A label, and what was seen before it.

    :param events: of the window that ends at the stamp, in pixels of the label; None where the
        layout has only tensors of them.
    :param tensor: float32 ``[H, W, C]``, the layout's own tensor of events; else None.
    :param label: uint8 ``[H, W]``, class ids, 255 for void.
    :param image: uint8 ``[H, W, 3]``, RGB, taken at the stamp; None where the layout has none.
    :param name: unique in the data set.
    :param stamp_us: of the label, in microseconds, on the clock of the events.
    :param recording: name of the recording that it is from.
    :param order: place among the items of its recording, from 0, in the order of time.
    """

    events: Events | None
    tensor: np.ndarray | None
    label: np.ndarray
    image: np.ndarray | None
    name: str
    stamp_us: int
    recording: str
    order: int


class LabelledRecordings:
    """
    Recordings one after another, each in the order of time; item i is a `LabelledEvents`.

    :param classes: of the labels.
    :param size: width and height of labels, images and events.
    :param recordings: for each recording its items, a range: to walk it, or to keep it together.
    """

    classes: ClassSet
    size: tuple[int, int]

    def __init__(self, frames: Mapping[str, Sequence[Any]]):
        """
        :param frames: for each recording what `_read` needs to read an item, in order.
        :raises ValueError: a recording has no label.
        """
        self._frames, self.recordings = [], {}
        for recording, its_frames in frames.items():
            if not its_frames:
                raise ValueError(f'{recording} has no label: fetch its labels, or leave it out')
            first = len(self._frames)
            self._frames += [(recording, order, frame) for order, frame in enumerate(its_frames)]
            self.recordings[recording] = range(first, len(self._frames))

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> LabelledEvents:
        return self._read(*self._frames[index])

    def _read(self, recording: str, order: int, frame: Any) -> LabelledEvents:
        raise NotImplementedError


def names_of(split: str | Sequence[str], splits: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """
    Return the recordings of a split: of a known one, or those that are named.

    :raises ValueError: there is no such split.
    """
    if not isinstance(split, str):
        return tuple(split)
    if split not in splits:
        raise ValueError(f'there is no split {split!r}: expected one of {", ".join(splits)}, or a '
                         'list of recordings')
    return splits[split]


def files_in(folder: Path, suffix: str) -> list[Path]:
    """
    Return a folder's files by name.

    :raises ValueError: there is no such folder.
    """
    if not folder.is_dir():
        raise ValueError(f'{folder} is missing: expected a folder of {suffix} files')
    return [folder / name for name in sorted(os.listdir(folder)) if name.endswith(suffix)]


def read_label(path: Path, size: tuple[int, int], classes: ClassSet) -> np.ndarray:
    """
    Read a label, uint8 ``[H, W]``.

    :param size: its width and height.
    :raises ValueError: it is broken, of another size, or holds an id of no class.
    """
    label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if label is None:
        raise ValueError(f'{path} cannot be read as an image: fetch it again')
    if label.shape != size[::-1] or label.dtype != np.uint8:
        raise ValueError(f'{path} is {label.dtype} {label.shape}: a label is one channel of 8-bit '
                         f'class ids, {size[::-1]}')
    wrong = label[(label >= len(classes)) & (label != UNLABELLED)]
    if wrong.size:
        raise ValueError(f'{path} holds class id {wrong[0]}: expected 0..{len(classes) - 1}, or '
                         f'{UNLABELLED} for void')
    return label


def read_image(path: Path, size: tuple[int, int]) -> np.ndarray:
    """
    Read an image, RGB ``[H, W, 3]``, without the rows below those that are labelled.

    :param size: width and height of the labels.
    :raises ValueError: it is broken, or no image of that width.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f'{path} cannot be read as an image: fetch it again')
    if image.shape[0] < size[1] or image.shape[1] != size[0]:
        raise ValueError(f'{path} is {image.shape[:2]}: expected {size[0]} columns and {size[1]} '
                         'rows or more')
    return cv2.cvtColor(image[:size[1]], cv2.COLOR_BGR2RGB)
