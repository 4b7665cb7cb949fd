# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Where frames come from: Street, CamVid, a folder of images, a video or a rosbag2.

A source is an iterable of `Frame` that starts anew each time it is iterated. No ROS is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from mfs_seg_core.data.camvid import CamVid
from mfs_seg_core.data.street import Street
from mfs_seg_ros.frames import Frame, SourceError

STREET = 'street'
STREET_SIZE = (240, 180)
STREET_RATE_HZ = 20.0
# Folders of images carry no time; CamVid's val list is a video of this rate.
FOLDER_RATE_HZ = 15.0
IMAGE_SUFFIXES = {'.png', '.jpg', '.jpeg', '.bmp', '.ppm', '.tif', '.tiff', '.webp'}
BAG_SUFFIXES = {'.db3', '.mcap'}


@dataclass(frozen=True)
class StreetSource:
    """Procedural driving scenes, endless; the same seed gives the same drive."""

    seed: int
    width: int
    height: int
    rate_hz: float

    def __iter__(self) -> Iterator[Frame]:
        for frame in Street(self.seed, self.width, self.height, self.rate_hz):
            yield Frame(frame.image, frame.label, frame.time_s)


@dataclass(frozen=True)
class CamVidSource:
    """One list of a CamVid folder in the SegNet layout."""

    root: Path
    split: str
    rate_hz: float

    def __iter__(self) -> Iterator[Frame]:
        dataset = CamVid(self.root, self.split)
        for index in range(len(dataset)):
            image, label, _ = dataset[index]
            yield Frame(image, label, index / self.rate_hz)


@dataclass(frozen=True)
class ImageFolderSource:
    """The images of a folder in the order of their names, numbers counted as numbers."""

    folder: Path
    rate_hz: float

    def __iter__(self) -> Iterator[Frame]:
        for index, path in enumerate(image_files(self.folder)):
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image is None:
                raise SourceError(f"'{path}' is not a readable image: repair or remove it.")
            yield Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), None, index / self.rate_hz)


@dataclass(frozen=True)
class VideoSource:
    """A video file at its own rate; `rate_hz` is used where the file names none."""

    path: Path
    rate_hz: float

    def __iter__(self) -> Iterator[Frame]:
        capture = cv2.VideoCapture(str(self.path))
        try:
            rate_hz = capture.get(cv2.CAP_PROP_FPS) or self.rate_hz
            index = 0
            while True:
                found, image = capture.read()
                if not found:
                    return
                yield Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), None, index / rate_hz)
                index += 1
        finally:
            capture.release()


@dataclass(frozen=True)
class Resized:
    """Another source at another size; labels keep their ids (nearest)."""

    source: Iterable[Frame]
    width: int
    height: int

    def __iter__(self) -> Iterator[Frame]:
        size = (self.width, self.height)
        for frame in self.source:
            image = cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)
            label = frame.label
            if label is not None:
                label = cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)
            yield replace(frame, image=image, label=label)


def open_source(
    path: str | Path,
    *,
    seed: int = 0,
    width: int = 0,
    height: int = 0,
    rate_hz: float = 0.0,
    split: str = 'val',
    image_topic: str = '',
    label_topic: str = '',
) -> Iterable[Frame]:
    """
    Open what `path` names.

    path: 'street', a CamVid folder, a folder of images, a video, or a rosbag2 folder or file.
    seed: of Street.
    width, height: size of the frames in pixels; both 0: the source's own (Street 240x180).
    rate_hz: of sources without a time of their own; 0: 20 Hz for Street, 15 Hz for folders.
    split: CamVid list ('train', 'val').
    image_topic, label_topic: topics of a bag; empty: chosen by type and name.

    Raises SourceError when there is nothing playable at `path`.
    """
    if (width == 0) != (height == 0) or width < 0 or height < 0:
        raise SourceError(
            f'Size {width}x{height} is not usable: give width and height, or 0 for both.'
        )
    if str(path) == STREET:
        street_size = (width, height) if width else STREET_SIZE
        return StreetSource(seed, *street_size, rate_hz or STREET_RATE_HZ)
    source = _open_path(
        Path(path).expanduser(), rate_hz or FOLDER_RATE_HZ, split, image_topic, label_topic
    )
    return Resized(source, width, height) if width else source


def played(source: Iterable[Frame], rate_hz: float = 0.0, loop: bool = False) -> Iterator[Frame]:
    """
    Yield the frames of a source with `time_s` counted from 0 at the first one, never backward.

    rate_hz: frames come this often; 0: at the source's own times.
    loop: begin again after the last frame, one frame interval later.
    """
    count = 0
    due = 0.0
    while True:
        first_due = due
        first_time = None
        interval = 1.0 / FOLDER_RATE_HZ
        for frame in source:
            if first_time is None:
                first_time = frame.time_s
            previous = due
            due = count / rate_hz if rate_hz else first_due + frame.time_s - first_time
            due = max(due, previous)
            interval = due - previous or interval
            yield replace(frame, time_s=due)
            count += 1
        if not loop or first_time is None:
            return
        due += interval


def image_files(folder: Path) -> list[Path]:
    """Return the image files of a folder, sorted by name with numbers counted as numbers."""
    def by_number(path: Path) -> list[tuple[int, str]]:
        parts = re.split(r'(\d+)', path.name)
        return [(int(part), '') if part.isdigit() else (-1, part) for part in parts]

    found = (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(found, key=by_number)


def _open_path(
    path: Path, rate_hz: float, split: str, image_topic: str, label_topic: str
) -> Iterable[Frame]:
    if not path.exists():
        raise SourceError(
            f"'{path}' does not exist: give '{STREET}', a CamVid folder, a folder of images, "
            'a video, or a rosbag2 folder or file.'
        )
    is_bag = path.suffix in BAG_SUFFIXES
    if path.is_dir():
        is_bag = (path / 'metadata.yaml').exists() or _single_bag_file(path) is not None
    if is_bag:
        # Only bags need rosbags: the player shows Street without it.
        from mfs_seg_ros.bag_source import BagSource
        return BagSource(_bag_path(path), image_topic, label_topic)
    if path.is_file():
        capture = cv2.VideoCapture(str(path))
        opened = capture.isOpened()
        capture.release()
        if not opened:
            raise SourceError(
                f"'{path}' is neither a rosbag2 file (.db3, .mcap) nor a video OpenCV can read."
            )
        return VideoSource(path, rate_hz)
    if (path / f'{split}annot').is_dir():
        return CamVidSource(path, split, rate_hz)
    if image_files(path):
        return ImageFolderSource(path, rate_hz)
    raise SourceError(
        f"'{path}' holds nothing to play: expected images, a rosbag2 (metadata.yaml, .db3 or "
        f".mcap), or CamVid with a '{split}annot' folder."
    )


def _bag_path(path: Path) -> Path:
    """Return what the reader opens: a folder without metadata is read by its only file."""
    if path.is_dir() and not (path / 'metadata.yaml').exists():
        return _single_bag_file(path)
    return path


def _single_bag_file(folder: Path) -> Path | None:
    files = [path for path in folder.iterdir() if path.suffix in BAG_SUFFIXES]
    return files[0] if len(files) == 1 else None
