# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
DDD17 with Ev-SegNet's labels: drives with a DAVIS346, 6 classes, 346x200 of its 346x260 pixels.

There are two layouts. That of ESS holds the events::

    ROOT/dirN/events.dat.t             int64 [N], nanoseconds
    ROOT/dirN/events.dat.xyp           int16 [N, 3]: x, y, polarity (0 or 1)
    ROOT/dirN/index/index_50ms.npy     one row per image: stamp in nanoseconds, index of the event
                                       at the stamp, index of the event 50 ms before
    ROOT/dirN/segmentation_masks/*_M.png   labels; row M - 1 of the index is of label M
    ROOT/dirN/imgs/                    images of video.mp4, img_M.png or M.png (optional)

That of Ev-SegNet holds tensors of the last 50 ms before each label instead::

    ROOT/{train,test}/labels/REC_export_M.png
    ROOT/{train,test}/events/REC_export_M.npy   [200, 346, 6]: count, mean and deviation of time
    ROOT/{train,test}/images/REC_export_M.png   (optional)

Sources: Binas et al. 2017 (DDD17); Alonso and Murillo 2019, Shathe/Ev-SegNet; Sun et al. 2022,
uzh-rpg/ess, datasets/ddd17_events_loader.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mfs_seg_core import labels
from mfs_seg_core.data.labelled_events import (
    LabelledEvents,
    LabelledRecordings,
    files_in,
    names_of,
    read_image,
    read_label,
)
from mfs_seg_core.events.types import Events, Window

SENSOR = (346, 260)
# The rows below show the car itself and have no labels.
SIZE = (346, 200)
# By name; ESS uses indices of the sorted list (train 0, 2, 3, 5, 6), which shift if a folder is
# missing. The 'valid' of ESS, dir1, is the test recording of Ev-SegNet and of all published
# results; the 'test' of ESS, dir5, is not in Ev-SegNet.
SPLITS = {'train': ('dir0', 'dir3', 'dir4', 'dir6', 'dir7'), 'test': ('dir1',)}
# Ev-SegNet's files have no stamps but frame numbers, at the 20 frames per second of the export.
FRAME_US = 50_000


class DDD17Frame(NamedTuple):
    """Files and stamp of an item; ``end`` (ESS only) is the index of the event after its window."""

    label: Path
    image: Path | None
    stamp_ns: int
    events: Path | None = None
    end: int = 0


class DDD17(LabelledRecordings):
    """
    One split of DDD17, in either layout; item i is a :class:`LabelledEvents`.

    In Ev-SegNet's layout ``events`` is None and ``tensor`` is float32 ``[200, 346, 6]`` as
    published: count, mean and standard deviation of the times of ON events (channels 0, 2, 3) and
    OFF events (1, 4, 5); a pixel without events is (-1, -1, 0, 0, 0, 0). Its stamps are nominal,
    50 ms per frame.
    """

    classes = labels.DDD17
    size = SIZE

    def __init__(self, root: str | Path, split: str | Sequence[str], window: Window | None = None):
        """
        Find the files of the recordings and check them.

        :param root: folder of the data set.
        :param split: 'train' or 'test', or names of recordings (dir0 ..., or rec1487417411 ...).
        :param window: window of an item's events, counted on the whole sensor before they are cut
            to the labelled rows; None: 32,000 events, as in ESS, or Ev-SegNet's 50 ms.
        :raises ValueError: the root has neither layout, a file is missing, or an index is wrong.
        """
        root = Path(root)
        recordings = names_of(split, SPLITS)
        self._events: dict[str, _EventFiles] = {}
        if any(path.is_dir() for path in root.glob('dir*')):
            self.window = window or Window(events=32_000)
            self._events = {name: _EventFiles(root / name) for name in recordings}
            frames = {name: _ess_frames(root / name, self._events[name]) for name in recordings}
        elif any((root / name / 'labels').is_dir() for name in SPLITS):
            self.window = Window(us=FRAME_US)
            if window not in (None, self.window):
                raise ValueError(f'{root} is in the layout of Ev-SegNet, which holds tensors of '
                                 f'50 ms but no events: for {window} fetch the data in the '
                                 'layout of ESS')
            frames = _ev_segnet_frames(root, split)
        else:
            raise ValueError(f'{root} is not DDD17: expected folders dir0, dir1, ... (layout of '
                             'ESS), or train/labels and test/labels (of Ev-SegNet)')
        super().__init__(frames)

    def _read(self, recording: str, order: int, frame: DDD17Frame) -> LabelledEvents:
        events = tensor = None
        if frame.events is None:
            events = self._events[recording].read(frame, self.window)
        else:
            tensor = _read_tensor(frame.events)
        image = None if frame.image is None else read_image(frame.image, SIZE)
        return LabelledEvents(events, tensor, read_label(frame.label, SIZE, self.classes), image,
                              f'{recording}/{frame.label.stem}', frame.stamp_ns // 1000,
                              recording, order)


class _EventFiles:
    """Memory-mapped event files of a recording in the layout of ESS."""

    def __init__(self, folder: Path):
        self.t_path, self.xyp_path = folder / 'events.dat.t', folder / 'events.dat.xyp'
        for path in (self.t_path, self.xyp_path):
            if not path.is_file():
                raise ValueError(f'{path} is missing: fetch {folder.name} of the ESS package')
        sizes = self.t_path.stat().st_size, self.xyp_path.stat().st_size
        self.count = sizes[0] // 8
        if not self.count or sizes != (self.count * 8, self.count * 6):
            raise ValueError(f'{self.t_path} and {self.xyp_path.name} have {sizes[0]} and '
                             f'{sizes[1]} bytes: expected 8 and 6 for each event')
        self._t = self._xyp = None

    def read(self, frame: DDD17Frame, window: Window) -> Events:
        if self._t is None:
            self._t = np.memmap(self.t_path, '<i8', 'r')
            self._xyp = np.memmap(self.xyp_path, '<i2', 'r').reshape(-1, 3)
        first = window.first(frame.end, lambda us: int(np.searchsorted(
            self._t, np.int64(frame.stamp_ns - us * 1000))))
        chosen = slice(first, frame.end)
        xyp = np.array(self._xyp[chosen])
        outside = (xyp[:, :2] < 0) | (xyp[:, :2] >= SENSOR)
        if outside.any():
            x, y = xyp[outside.any(1)][0, :2]
            raise ValueError(f'{self.xyp_path} holds an event at ({x}, {y}): expected pixels of '
                             f'{SENSOR[0]}x{SENSOR[1]}')
        events = Events(np.array(self._t[chosen]) // 1000, xyp[:, 0].astype(np.uint16),
                        xyp[:, 1].astype(np.uint16), xyp[:, 2] > 0)
        return events.where(events.y < SIZE[1])

    def __getstate__(self) -> dict:
        # Pickling a memory map would send the contents of the files to each worker.
        return {**self.__dict__, '_t': None, '_xyp': None}


def _ess_frames(folder: Path, events: _EventFiles) -> list[DDD17Frame]:
    path = folder / 'index' / 'index_50ms.npy'
    index = _load(path)
    if index.ndim != 2 or index.shape[1] != 3 or index.dtype.kind not in 'iu':
        raise ValueError(f'{path} is {index.dtype} {index.shape}: expected integers, 3 per row')
    stamps, ends = index[:, :2].astype(np.int64).T
    decreases = (np.diff(stamps) < 0) | (np.diff(ends) < 0)
    if decreases.any():
        raise ValueError(f'{path} decreases in row {np.argmax(decreases) + 1}: expected stamps '
                         'and indices in temporal order')
    # The index -1 marks an image before the first event.
    if len(ends) and (ends[0] < -1 or ends[-1] > events.count):
        raise ValueError(f'{path} names events {ends[0]} to {ends[-1]}: expected indices of the '
                         f'{events.count} events of {events.t_path.name}')
    masks = _numbered(folder / 'segmentation_masks', '.png')
    images = _numbered(folder / 'imgs', '.png') if (folder / 'imgs').is_dir() else None
    frames = []
    for number, mask in sorted(masks.items()):
        if not 1 <= number <= len(index):
            raise ValueError(f'{mask} belongs to image {number}: expected 1..{len(index)}, the '
                             f'rows of {path.name}')
        frames.append(DDD17Frame(mask, _image(images, number, folder / 'imgs', mask),
                                 int(stamps[number - 1]), end=max(int(ends[number - 1]), 0)))
    return frames


def _ev_segnet_frames(root: Path, split: str | Sequence[str]) -> dict[str, list[DDD17Frame]]:
    named = not isinstance(split, str)
    # The folder is the split here; recordings have other names than in ESS.
    recordings: dict[str, list[DDD17Frame]] = {name: [] for name in split} if named else {}
    for folder in [root / name for name in (SPLITS if named else [split])]:
        if named and not folder.is_dir():
            continue
        images = folder / 'images'
        image_files = set(files_in(images, '.png')) if images.is_dir() else None
        tensors = set(files_in(folder / 'events', '.npy'))
        for label in files_in(folder / 'labels', '.png'):
            recording, number = _split_name(label)
            recording = recording.removesuffix('_export')
            if named and recording not in recordings:
                continue
            events, image = folder / 'events' / f'{label.stem}.npy', images / label.name
            for path, files in ((events, tensors), (image, image_files)):
                if files is not None and path not in files:
                    raise ValueError(f'{path} is missing: {label} needs it')
            recordings.setdefault(recording, []).append(
                DDD17Frame(label, None if image_files is None else image, number * FRAME_US * 1000,
                           events))
    if not recordings:
        raise ValueError(f'{root / split / "labels"} is empty: expected labels REC_export_M.png')
    # The numbers have no leading zeros: sorted by name, 10 would come before 9.
    return {name: sorted(frames, key=lambda frame: frame.stamp_ns)
            for name, frames in sorted(recordings.items())}


def _read_tensor(path: Path) -> np.ndarray:
    tensor = _load(path)
    if tensor.shape != (*SIZE[::-1], 6) or tensor.dtype.kind != 'f':
        raise ValueError(f'{path} is {tensor.dtype} {tensor.shape}: expected floats '
                         f'{(*SIZE[::-1], 6)}')
    return tensor.astype(np.float32)


def _load(path: Path) -> np.ndarray:
    if not path.is_file():
        raise ValueError(f'{path} is missing: fetch the data set again')
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f'{path} cannot be read as an array: fetch it again') from error


def _split_name(path: Path) -> tuple[str, int]:
    match = re.fullmatch(r'(?:(.*)_)?(\d+)', path.stem)
    if match is None:
        raise ValueError(f'{path} has no number: expected a name that ends in the number of its '
                         'image')
    return match[1] or '', int(match[2])


def _numbered(folder: Path, suffix: str) -> dict[int, Path]:
    return {_split_name(path)[1]: path for path in files_in(folder, suffix)}


def _image(images: dict[int, Path] | None, number: int, folder: Path, mask: Path) -> Path | None:
    if images is None:
        return None
    if number not in images:
        raise ValueError(f'{folder / f"img_{number:08d}.png"} is missing: {mask} needs it')
    return images[number]
