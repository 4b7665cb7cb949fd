# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
DSEC-Semantic: drives in Zurich with 640x480 event cameras, 11 classes, labels of 640x440 pixels.

::

    ROOT/{train,test}/SEQ/events/left/events.h5          see mfs_seg_core.events.dsec_hdf5
    ROOT/{train,test}/SEQ/events/left/rectify_map.h5     rectify_map [480, 640, 2]: rectified x
                                                         and y of the pixel at [y, x]
    ROOT/{train,test}/SEQ/semantic/11classes/data/*.png  labels, in rectified pixels
    ROOT/{train,test}/SEQ/semantic/timestamps.txt        one stamp per line, microseconds
    ROOT/{train,test}/SEQ/images/left/ev_inf/*.png       rectified images, one per label
                                                         (optional)

Copies differ in the folder of the labels, which may be ``semantic/left`` or SEQ itself, with or
without ``data``, and in the name of the stamps, which may be ``SEQ_semantic_timestamps.txt``. The
loader finds all of these.

Sources: Gehrig et al. 2021 (DSEC); Sun et al. 2022 (DSEC-Semantic), uzh-rpg/ess,
DSEC/dataset/sequence.py and provider.py.
"""

from __future__ import annotations

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
from mfs_seg_core.events.dsec_hdf5 import EventFile, open_hdf5
from mfs_seg_core.events.types import Events, Window

SENSOR = (640, 480)
# The rows below show the car itself and have no labels.
SIZE = (640, 440)
SPLITS = {
    'train': tuple(f'zurich_city_{name}' for name in
                   ('00_a', '01_a', '02_a', '04_a', '05_a', '06_a', '07_a', '08_a')),
    'test': tuple(f'zurich_city_{name}' for name in ('13_a', '14_c', '15_a')),
}
# Labels of the published results; the first ones have too few events before them.
PROTOCOL = slice(6, None, 2)


class DSECFrame(NamedTuple):
    """Files and time stamp of an item."""

    label: Path
    image: Path | None
    stamp_us: int


class DSEC(LabelledRecordings):
    """One split of DSEC-Semantic; item i is a :class:`LabelledEvents`."""

    classes = labels.DSEC
    size = SIZE

    def __init__(self, root: str | Path, split: str | Sequence[str],
                 window: Window | None = None, rectify: bool = True, protocol: bool = True):
        """
        Find the files of the recordings and check them.

        :param root: folder of the data set.
        :param split: 'train' or 'test', or names of recordings in any folder of the root.
        :param window: window of an item's events, counted on the whole sensor before events are
            rectified and cut to the labelled rows; None: 100,000 events, as in ESS.
        :param rectify: whether to move each event to the nearest pixel of the labels.
        :param protocol: whether to use only the labels of the published results, every second
            one from the seventh; False: all labels.
        :raises ValueError: a file is missing, an index is wrong, or h5py or hdf5plugin is not
            installed.
        """
        self.window = window or Window(events=100_000)
        folders = {name: _find(Path(root), name) for name in names_of(split, SPLITS)}
        events = {name: folder / 'events' / 'left' for name, folder in folders.items()}
        self._events = {name: EventFile(folder / 'events.h5') for name, folder in events.items()}
        self._maps = {name: _RectifyMap(folder / 'rectify_map.h5')
                      for name, folder in events.items()} if rectify else {}
        chosen = PROTOCOL if protocol else slice(None)
        super().__init__({name: _frames(folder)[chosen] for name, folder in folders.items()})

    def _read(self, recording: str, order: int, frame: DSECFrame) -> LabelledEvents:
        file = self._events[recording]
        events = file.read(frame.stamp_us, self.window)
        if events.count and (events.x.max() >= SENSOR[0] or events.y.max() >= SENSOR[1]):
            raise ValueError(f'{file.path} holds events at ({events.x.max()}, {events.y.max()}): '
                             f'expected pixels of {SENSOR[0]}x{SENSOR[1]}')
        if recording in self._maps:
            events = self._maps[recording].rectify(events)
        events = events.where(events.y < SIZE[1])
        image = None if frame.image is None else read_image(frame.image, SIZE)
        return LabelledEvents(events, None, read_label(frame.label, SIZE, self.classes), image,
                              f'{recording}/{frame.label.stem}', frame.stamp_us, recording, order)


class _RectifyMap:
    """Map from the pixels of the sensor to those of a rectified image."""

    def __init__(self, path: Path):
        self.path = path
        with open_hdf5(path) as file:
            shape = file['rectify_map'].shape if 'rectify_map' in file else None
        if shape != (*SENSOR[::-1], 2):
            raise ValueError(f'{path}: rectify_map is {shape}: expected {(*SENSOR[::-1], 2)}')
        self._map = None

    def rectify(self, events: Events) -> Events:
        """Return events in rectified pixels, without those outside the image."""
        if self._map is None:
            with open_hdf5(self.path) as file:
                # Halves round up at every pixel; np.rint would round them to the even one.
                self._map = np.floor(file['rectify_map'][()] + np.float32(0.5))
        xy = self._map[events.y, events.x]
        inside = ((xy >= 0) & (xy < SENSOR)).all(1)
        x, y = xy[inside].astype(np.uint16).T
        return events.where(inside)._replace(x=x, y=y)

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_map': None}


def _find(root: Path, name: str) -> Path:
    for folder in (root / 'train' / name, root / 'test' / name, root / name):
        if folder.is_dir():
            return folder
    raise ValueError(f'{name} is missing in {root}: expected it in the folder train or test, '
                     'or in the root')


def _frames(folder: Path) -> list[DSECFrame]:
    places = folder / 'semantic', folder / 'semantic' / 'left', folder
    data = _first([place / '11classes' / below for below in ('data', '') for place in places])
    stamps_path = _first([place / name for place in places for name in (
        'timestamps.txt', f'{folder.name}_semantic_timestamps.txt')])
    paths, stamps = files_in(data, '.png'), _read_stamps(stamps_path)
    if len(paths) != len(stamps):
        raise ValueError(f'{stamps_path} has {len(stamps)} stamps for the {len(paths)} labels of '
                         f'{data}: expected one per label')
    images: list[Path | None] = [None] * len(paths)
    if (folder / 'images' / 'left' / 'ev_inf').is_dir():
        images = files_in(folder / 'images' / 'left' / 'ev_inf', '.png')
        if len(images) != len(paths):
            raise ValueError(f'{folder / "images/left/ev_inf"} has {len(images)} images for the '
                             f'{len(paths)} labels of {data}: expected one per label')
    return [DSECFrame(*frame) for frame in zip(paths, images, stamps)]


def _first(paths: list[Path]) -> Path:
    for path in paths:
        if path.exists():
            return path
    raise ValueError(f'{paths[0]} is missing: fetch the labels of DSEC-Semantic')


def _read_stamps(path: Path) -> list[int]:
    try:
        stamps = [int(line) for line in path.read_text().splitlines()
                  if line.strip() and not line.startswith('#')]
    except ValueError as error:
        raise ValueError(f'{path}: {error}: expected one stamp in microseconds per line') from error
    if stamps != sorted(stamps):
        raise ValueError(f'{path} decreases: expected stamps in temporal order')
    return stamps
