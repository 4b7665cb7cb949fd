# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Sources of frames and events: Street, CamVid, images, a video, a recording or a rosbag2.

A source is an iterable of ``Frame`` and ``EventBatch`` in the order of their publication; each
iteration starts at its beginning. No ROS is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import cv2

from mfs_seg_core.data.camvid import CamVid
from mfs_seg_core.data.street import EventCamera, Street
from mfs_seg_core.events.recordings import BAG_SUFFIXES
from mfs_seg_core.util.modalities import SENSORS
from mfs_seg_ros.playback import recording_source
from mfs_seg_ros.playback.items import EventBatch, Frame, SourceError
from mfs_seg_ros.playback.packetize import batches

STREET = 'street'
STREET_SIZE = (240, 180)
# Between frames of 20 Hz, three are interpolated: rendering them takes more than one core.
EVENT_STEP_S, EVENT_INTERPOLATED = 0.05, 3
STREET_RATE_HZ = 20.0
# Folders of images have no times; CamVid's val list is a video of this rate.
FOLDER_RATE_HZ = 15.0
IMAGE_SUFFIXES = {'.png', '.jpg', '.jpeg', '.bmp', '.ppm', '.tif', '.tiff', '.webp'}


@dataclass(frozen=True)
class StreetSource:
    """
    Procedural driving scenes without end; a seed always yields the same drive.

    :param seed: seed of the drive.
    :param width: columns of the frames in pixels.
    :param height: rows of the frames in pixels.
    :param rate_hz: frames per second.
    :param batch_us: duration of a batch of events in microseconds; 0: without events.
    """

    seed: int
    width: int
    height: int
    rate_hz: float
    batch_us: int = 0

    def __iter__(self) -> Iterator[Frame | EventBatch]:
        street = Street(self.seed, self.width, self.height, self.rate_hz)
        events = (EventCamera(street, step_s=EVENT_STEP_S, interpolated=EVENT_INTERPOLATED)
                  if self.batch_us else None)
        for index in count():
            time_s = index / self.rate_hz
            if events and index:
                latest = events.events((index - 1) / self.rate_hz, time_s)
                yield from batches(
                    latest, self.width, self.height, self.batch_us, round(time_s * 1e6))
            frame = street.frame(time_s)
            yield Frame(frame.image, frame.label, time_s)


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
    """The images of a folder, sorted by name with numbers in numerical order."""

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
    """A video file at its own rate; ``rate_hz`` where the file has none."""

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
    """Another source with resized frames; labels by the nearest pixel."""

    source: Iterable[Frame | EventBatch]
    width: int
    height: int

    def __iter__(self) -> Iterator[Frame | EventBatch]:
        size = (self.width, self.height)
        for item in self.source:
            if isinstance(item, Frame):
                image, label = item.image, item.label
                if image is not None:
                    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
                if label is not None:
                    label = cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)
                item = replace(item, image=image, label=label)
            yield item


@dataclass(frozen=True)
class WithoutImages:
    """Another source without its images; labels and events remain."""

    source: Iterable[Frame | EventBatch]

    def __iter__(self) -> Iterator[Frame | EventBatch]:
        for item in self.source:
            if isinstance(item, EventBatch):
                yield item
            elif item.label is not None:
                yield replace(item, image=None)


def open_source(
    path: str | Path,
    *,
    sensors: str = 'camera',
    seed: int = 0,
    width: int = 0,
    height: int = 0,
    rate_hz: float = 0.0,
    split: str = 'val',
    image_topic: str = '',
    label_topic: str = '',
    event_topic: str = '',
    batch_us: int = 5000,
) -> Iterable[Frame | EventBatch]:
    """
    Open a source.

    :param path: 'street', a CamVid folder, a folder of images, a video, a recording of an event
        camera, or a rosbag2 folder or file.
    :param sensors: 'camera', 'events' (with labels if there are any) or 'fusion'.
    :param seed: seed of Street.
    :param width: columns of the frames, and of Street's events, in pixels; with ``height`` 0: the
        source's own size (Street 240x180).
    :param height: rows, likewise.
    :param rate_hz: frames per second of a source without times; 0: 20 for Street, 15 for folders.
    :param split: list of CamVid, 'train' or 'val'.
    :param image_topic: topic of a bag's images; empty: chosen by type and name.
    :param label_topic: topic of a bag's labels; empty: likewise.
    :param event_topic: topic of a bag's events; empty: likewise.
    :param batch_us: duration of a batch of events in microseconds.
    :returns: the source.
    :raises SourceError: there is nothing to play; one sentence.
    """
    if sensors not in SENSORS:
        raise SourceError(f"sensors is '{sensors}': give one of {', '.join(SENSORS)}.")
    if (width == 0) != (height == 0) or width < 0 or height < 0:
        raise SourceError(
            f'Size {width}x{height} is not usable: give width and height, or 0 for both.'
        )
    if str(path) == STREET:
        street_size = (width, height) if width else STREET_SIZE
        source = StreetSource(seed, *street_size, rate_hz or STREET_RATE_HZ,
                              batch_us if sensors != 'camera' else 0)
    else:
        path = Path(path).expanduser()
        if not path.exists():
            raise SourceError(
                f"'{path}' does not exist: give '{STREET}', a CamVid folder, a folder of images, "
                'a video, a recording of an event camera, or a rosbag2 folder or file.'
            )
        if _is_bag(path):
            # Only bags need rosbags: the player shows Street without it.
            from mfs_seg_ros.playback.bag_source import BagSource
            source = BagSource(path, _single_bag_file(path), image_topic, label_topic,
                               event_topic, sensors)
        elif path.is_file() and path.suffix.lower() in recording_source.SUFFIXES:
            source = recording_source.RecordingSource(path, sensors, batch_us)
        elif sensors != 'camera':
            raise SourceError(f"'{path}' has no events: give sensors:=camera.")
        else:
            source = _open_images(path, rate_hz or FOLDER_RATE_HZ, split)
        if sensors != 'camera' and rate_hz:
            raise SourceError(
                f"'{path}' has events, which have their own times: give rate:=0.0.")
        if width:
            source = Resized(source, width, height)
    return WithoutImages(source) if sensors == 'events' else source


def image_files(folder: Path) -> list[Path]:
    """Return the image files of a folder, sorted by name with numbers in numerical order."""
    def by_number(path: Path) -> list[tuple[int, str]]:
        parts = re.split(r'(\d+)', path.name)
        return [(int(part), '') if part.isdigit() else (-1, part) for part in parts]

    found = (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(found, key=by_number)


def _open_images(path: Path, rate_hz: float, split: str) -> Iterable[Frame]:
    if path.is_file():
        capture = cv2.VideoCapture(str(path))
        opened = capture.isOpened()
        capture.release()
        if not opened:
            raise SourceError(
                f"'{path}' is neither a rosbag2 file (.db3, .mcap), nor a recording of an event "
                f'camera ({", ".join(sorted(recording_source.SUFFIXES))}), nor a video that OpenCV '
                'can read.'
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


def _is_bag(path: Path) -> bool:
    if path.is_dir():
        return (path / 'metadata.yaml').exists() or _single_bag_file(path) is not None
    return path.suffix in BAG_SUFFIXES


def _single_bag_file(path: Path) -> Path | None:
    """Return the only bag file of a folder."""
    files = [file for file in path.glob('*') if file.suffix in BAG_SUFFIXES]
    return files[0] if len(files) == 1 else None
