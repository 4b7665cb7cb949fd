# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of events with labels at some times: base class and readers of their loaders."""

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
    A label, with events and image at its time.

    :param events: events of the window that ends at the stamp, in pixels of the label; None if the
        data set has event tensors only.
    :param tensor: float32 ``[H, W, C]``, the data set's own event tensor, or None.
    :param label: uint8 ``[H, W]``, class ids, 255 for void.
    :param image: uint8 ``[H, W, 3]``, RGB, at the time of the stamp, or None.
    :param name: name of the item, unique in the data set.
    :param stamp_us: time stamp of the label, in microseconds, on the clock of the events.
    :param recording: name of the recording.
    :param order: index among the items of the recording, in temporal order.
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
    Base class of data sets of recordings; item i is a :class:`LabelledEvents`.

    - ``classes``: classes of the labels.
    - ``size``: width and height of labels, images and events, in pixels.
    - ``recordings``: range of the item indices of each recording, by name; items of a recording
      are in temporal order.
    """

    classes: ClassSet
    size: tuple[int, int]

    def __init__(self, frames: Mapping[str, Sequence[Any]]):
        """
        Assign indices to the items of all recordings.

        :param frames: arguments ``frame`` of ``_read`` for the items of each recording, in order.
        :raises ValueError: a recording has no labels.
        """
        self._frames, self.recordings = [], {}
        for recording, its_frames in frames.items():
            if not its_frames:
                raise ValueError(f'{recording} has no label: fetch its labels, or omit it')
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
    Return the names of the recordings of a split.

    :param split: name of a split, or names of recordings, which are returned as they are.
    :param splits: names of the recordings of each split.
    :returns: names of recordings.
    :raises ValueError: the name of the split is unknown.
    """
    if not isinstance(split, str):
        return tuple(split)
    if split not in splits:
        raise ValueError(f'unknown split {split!r}: expected one of {", ".join(splits)}, or a '
                         'list of recordings')
    return splits[split]


def files_in(folder: Path, suffix: str) -> list[Path]:
    """
    Return the files of a folder, sorted by name.

    :param folder: folder to list.
    :param suffix: end of the names of the files, such as '.png'.
    :returns: paths of the files.
    :raises ValueError: the folder is missing.
    """
    if not folder.is_dir():
        raise ValueError(f'{folder} is missing: expected a folder of {suffix} files')
    return [folder / name for name in sorted(os.listdir(folder)) if name.endswith(suffix)]


def read_label(path: Path, size: tuple[int, int], classes: ClassSet) -> np.ndarray:
    """
    Read a label.

    :param path: image file of class ids.
    :param size: expected width and height, in pixels.
    :param classes: classes of the labels.
    :returns: class ids, uint8 ``[H, W]``, 255 for void.
    :raises ValueError: the file is damaged, has another size, or holds an unknown class id.
    """
    label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if label is None:
        raise ValueError(f'{path} cannot be read as an image: fetch it again')
    if label.shape != size[::-1] or label.dtype != np.uint8:
        raise ValueError(f'{path} is {label.dtype} {label.shape}: expected one channel of 8-bit '
                         f'class ids, {size[::-1]}')
    wrong = label[(label >= len(classes)) & (label != UNLABELLED)]
    if wrong.size:
        raise ValueError(f'{path} holds class id {wrong[0]}: expected 0..{len(classes) - 1}, or '
                         f'{UNLABELLED} for void')
    return label


def read_image(path: Path, size: tuple[int, int]) -> np.ndarray:
    """
    Read an image without the rows below the labelled ones.

    :param path: image file.
    :param size: width and height of the labels, in pixels.
    :returns: uint8 ``[H, W, 3]``, RGB, in the size of the labels.
    :raises ValueError: the file is damaged, has another width, or too few rows.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f'{path} cannot be read as an image: fetch it again')
    if image.shape[0] < size[1] or image.shape[1] != size[0]:
        raise ValueError(f'{path} is {image.shape[:2]}: expected {size[0]} columns and {size[1]} '
                         'rows or more')
    return cv2.cvtColor(image[:size[1]], cv2.COLOR_BGR2RGB)
