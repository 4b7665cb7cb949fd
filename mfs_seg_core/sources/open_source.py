# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Open Street, CamVid, images, a video, a recording or a rosbag2 as a source.

A source is an iterable of ``Frame`` and ``EventBatch`` in the order of their publication; each
iteration starts at its beginning. No ROS is needed.
"""

from __future__ import annotations

from pathlib import Path

import cv2

from mfs_seg_core.events.recordings import BAG_SUFFIXES
from mfs_seg_core.sources import recording as recording_source
from mfs_seg_core.sources.adapters import Resized, WithoutImages
from mfs_seg_core.sources.camvid import CamVidSource
from mfs_seg_core.sources.images import ImageFolderSource, image_files
from mfs_seg_core.sources.items import SourceError
from mfs_seg_core.sources.source import Source
from mfs_seg_core.sources.street import STREET, STREET_RATE_HZ, STREET_SIZE, StreetSource
from mfs_seg_core.sources.video import VideoSource
from mfs_seg_core.util.modalities import SENSORS

# Folders of images have no times; CamVid's val list is a video of this rate.
FOLDER_RATE_HZ = 15.0


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
) -> Source:
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
            from mfs_seg_core.sources.bag import BagSource
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
            source = Resized(source, width, height, report=source.report)
    return WithoutImages(source, report=source.report) if sensors == 'events' else source


def _open_images(path: Path, rate_hz: float, split: str) -> Source:
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
