# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
DDD17 with Ev-SegNet's labels: a DAVIS346 that drives, 6 classes, 346x200 of its 346x260 pixels.

Two layouts are about. That of ESS holds the events::

    ROOT/dirN/events.dat.t             int64 [N], nanoseconds
    ROOT/dirN/events.dat.xyp           int16 [N, 3]: x, y, polarity (0 or 1)
    ROOT/dirN/index/index_50ms.npy     a row an image: its stamp in nanoseconds, the index of the
                                       event at that stamp, that of the event 50 ms before
    ROOT/dirN/segmentation_masks/*_M.png   labels; row M - 1 of the index is theirs
    ROOT/dirN/imgs/                    images, if video.mp4 was unpacked: img_M.png, or M alone

That of Ev-SegNet holds a tensor of each label's last 50 ms in their place::

    ROOT/{train,test}/labels/REC_export_M.png
    ROOT/{train,test}/events/REC_export_M.npy   [200, 346, 6]: count, mean and deviation of time
    ROOT/{train,test}/images/REC_export_M.png   may be left out

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
# The rows below show the car itself, and are not labelled.
SIZE = (346, 200)
# By name, where ESS goes by the place in the sorted list (train 0, 2, 3, 5, 6): with a folder
# missing, places mean others. Its 'valid', dir1, is the recording that all report on, Ev-SegNet's
# test; its 'test', dir5, is none of Ev-SegNet's.
SPLITS = {'train': ('dir0', 'dir3', 'dir4', 'dir6', 'dir7'), 'test': ('dir1',)}
# Ev-SegNet's files have no stamps, but a number at the 20 frames a second of the export.
FRAME_US = 50_000


class DDD17Frame(NamedTuple):
    """Where an item is found; ``end`` is the index of the event after its window, in ESS only."""

    label: Path
    image: Path | None
    stamp_ns: int
    events: Path | None = None
    end: int = 0


class DDD17(LabelledRecordings):
    """
    One split of DDD17, in either layout; item i is a `LabelledEvents`.

    In Ev-SegNet's layout ``events`` is None and ``tensor`` is float32 ``[200, 346, 6]`` as
    published: count, mean and standard deviation of the time of brighter events (channels 0, 2,
    3) and darker ones (1, 4, 5); a pixel without events is (-1, -1, 0, 0, 0, 0). Its stamps are
    nominal, 50 ms a frame.
    """

    classes = labels.DDD17
    size = SIZE

    def __init__(self, root: str | Path, split: str | Sequence[str], window: Window | None = None):
        """
        :param split: 'train' or 'test', or names of recordings (dir0 ..., or rec1487417411 ...).
        :param window: events of an item, counted on the whole sensor, and then cut to the
            labelled rows; None: 32,000 events, as ESS, or Ev-SegNet's 50 ms.
        :raises ValueError: neither layout is there, a file is missing, or an index is wrong.
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
                raise ValueError(f'{root} is in the layout of Ev-SegNet, which holds no events but '
                                 f'their tensors of 50 ms: for {window} fetch the data in the '
                                 'layout of ESS')
            frames = _ev_segnet_frames(root, split)
        else:
            raise ValueError(f'{root} is no DDD17: expected folders dir0, dir1, ... (layout of '
                             'ESS), or train and test with labels in them (of Ev-SegNet)')
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
    """The two files of a recording's events in the layout of ESS, mapped into memory."""

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
        # Else a worker would be sent the contents of the files.
        return {**self.__dict__, '_t': None, '_xyp': None}


def _ess_frames(folder: Path, events: _EventFiles) -> list[DDD17Frame]:
    path = folder / 'index' / 'index_50ms.npy'
    index = _load(path)
    if index.ndim != 2 or index.shape[1] != 3 or index.dtype.kind not in 'iu':
        raise ValueError(f'{path} is {index.dtype} {index.shape}: expected integers, 3 a row')
    stamps, ends = index[:, :2].astype(np.int64).T
    decreases = (np.diff(stamps) < 0) | (np.diff(ends) < 0)
    if decreases.any():
        raise ValueError(f'{path} decreases in row {np.argmax(decreases) + 1}: expected stamps '
                         'and indices in the order of time')
    # -1 is an image before the first event.
    if len(ends) and (ends[0] < -1 or ends[-1] > events.count):
        raise ValueError(f'{path} names events {ends[0]} to {ends[-1]}: expected indices of the '
                         f'{events.count} events of {events.t_path.name}')
    masks = _numbered(folder / 'segmentation_masks', '.png')
    images = _numbered(folder / 'imgs', '.png') if (folder / 'imgs').is_dir() else None
    frames = []
    for number, mask in sorted(masks.items()):
        if not 1 <= number <= len(index):
            raise ValueError(f'{mask} is of image {number}: expected 1..{len(index)}, the rows of '
                             f'{path.name}')
        frames.append(DDD17Frame(mask, _image(images, number, folder / 'imgs', mask),
                            int(stamps[number - 1]), end=max(int(ends[number - 1]), 0)))
    return frames


def _ev_segnet_frames(root: Path, split: str | Sequence[str]) -> dict[str, list[DDD17Frame]]:
    named = not isinstance(split, str)
    # Here the folder is the split, but the recordings' names are not those of ESS.
    recordings: dict[str, list[DDD17Frame]] = {name: [] for name in split} if named else {}
    for folder in [root / name for name in (SPLITS if named else [split])]:
        if named and not folder.is_dir():
            continue
        images = folder / 'images'
        seen = set(files_in(images, '.png')) if images.is_dir() else None
        tensors = set(files_in(folder / 'events', '.npy'))
        for label in files_in(folder / 'labels', '.png'):
            recording, number = _split_name(label)
            recording = recording.removesuffix('_export')
            if named and recording not in recordings:
                continue
            events, image = folder / 'events' / f'{label.stem}.npy', images / label.name
            for path, there in ((events, tensors), (image, seen)):
                if there is not None and path not in there:
                    raise ValueError(f'{path} is missing, but {label} is there')
            recordings.setdefault(recording, []).append(
                DDD17Frame(label, image if seen is not None else None, number * FRAME_US * 1000, events))
    if not recordings:
        raise ValueError(f'{root / split / "labels"} is empty: expected labels REC_export_M.png')
    # The numbers have no leading zeros: by name, 10 would come before 9.
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
        raise ValueError(f'{path} is missing: fetch it')
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f'{path} cannot be read as an array: fetch it again') from error


def _split_name(path: Path) -> tuple[str, int]:
    match = re.fullmatch(r'(?:(.*)_)?(\d+)', path.stem)
    if match is None:
        raise ValueError(f'{path} has no number: expected a name that ends in that of its image')
    return match[1] or '', int(match[2])


def _numbered(folder: Path, suffix: str) -> dict[int, Path]:
    return {_split_name(path)[1]: path for path in files_in(folder, suffix)}


def _image(images: dict[int, Path] | None, number: int, folder: Path, mask: Path) -> Path | None:
    if images is None:
        return None
    if number not in images:
        raise ValueError(f'{folder / f"img_{number:08d}.png"} is missing, but {mask} is there')
    return images[number]
