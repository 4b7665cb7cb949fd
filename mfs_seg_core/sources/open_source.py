# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Open Street, CamVid, images, a video, a recording or a bag as a source.

A source is an iterable of ``Frame`` and ``EventBatch`` in the order of their publication; each
iteration starts at its beginning. No ROS is needed.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from mfs_seg_core.bags.files import is_bag
from mfs_seg_core.data.camvid import CamVid
from mfs_seg_core.events.recordings import recognise
from mfs_seg_core.sources.adapters import Resized, WithoutImages
from mfs_seg_core.sources.bag import BagSource
from mfs_seg_core.sources.camvid import CamVidSource
from mfs_seg_core.sources.image_files import IMAGE_SUFFIXES, image_files, image_folder, is_hidden
from mfs_seg_core.sources.images import ImagesSource
from mfs_seg_core.sources.items import SourceError
from mfs_seg_core.sources.recording import RecordingSource
from mfs_seg_core.sources.source import Source
from mfs_seg_core.sources.street import STREET, STREET_RATE_HZ, STREET_SIZE, StreetSource
from mfs_seg_core.sources.video import VideoSource, opened
from mfs_seg_core.util.modalities import SENSORS

# Folders of images have no times; CamVid's val list is a video of this rate.
FOLDER_RATE_HZ = 15.0
KINDS = ('a CamVid folder, a folder of images, a video, a recording of an event camera, or a bag '
         'of ROS 1 or ROS 2')
# Text is a recording of events only if it is named so.
TEXT, TEXT_SUFFIXES = 'text', {'.txt', '.csv'}


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
    sensor_size: tuple[int, int] | None = None,
    columns: str = '',
    unit: str = '',
    batch_us: int = 5000,
) -> Source:
    """
    Open a source.

    :param path: 'street', a CamVid folder, a folder of images, a video, a recording of an event
        camera, or a bag of ROS 1 or ROS 2 (folder or file).
    :param sensors: 'camera', 'events' (with labels if there are any) or 'fusion'.
    :param seed: seed of Street.
    :param width: columns of the frames, and of Street's events, in pixels; with ``height`` 0: the
        source's own size (Street 240x180).
    :param height: rows, likewise.
    :param rate_hz: frames per second of a source without times; 0: 20 for Street, 15 for others.
    :param split: list of CamVid, 'train' or 'val'.
    :param image_topic: topic of a bag's images; empty: chosen by type and name.
    :param label_topic: topic of a bag's labels; empty: likewise.
    :param event_topic: topic of a bag's events; empty: likewise.
    :param sensor_size: width and height of the event sensor, for recordings that do not state it;
        None: see :func:`mfs_seg_core.events.recordings.open_recording`.
    :param columns: order of the columns of a recording as text or arrays; empty: likewise.
    :param unit: unit of the times of a recording as text or arrays; empty: likewise.
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
        path = _existing(path)
        if _is_bag(path):
            source = BagSource(
                path, image_topic, label_topic, event_topic, sensors, sensor_size)
        elif path.is_file() and (sensors != 'camera' or is_recording(path)):
            source = RecordingSource(
                path, sensors, batch_us, event_topic, sensor_size, columns, unit)
        elif sensors != 'camera':
            raise SourceError(f"'{path}' is a folder without a bag: give the file of its events, "
                              'or choose the camera alone to read its images.')
        else:
            source = _images(path, rate_hz or FOLDER_RATE_HZ, split)
        if sensors != 'camera' and rate_hz:
            raise SourceError(
                f"'{path}' has events, which have their own times: give no rate.")
        if width:
            source = Resized(source, width, height, report=source.report)
    return WithoutImages(source, report=source.report) if sensors == 'events' else source


def _existing(path: str | Path) -> Path:
    """Return the path of a readable file that is not empty, or of a readable folder."""
    if not str(path):
        raise SourceError(f"the path is empty: give '{STREET}', {KINDS}.")
    try:
        path = Path(path).expanduser()
        if not path.exists():
            raise SourceError(f"'{path}' does not exist: give '{STREET}', {KINDS}.")
        if path.is_dir():
            next(path.iterdir(), None)
        elif not path.is_file():
            raise SourceError(
                f"'{path}' is a device, a pipe or a socket: start the ROS driver of the camera "
                f'and the segmenter for a live picture, or give {KINDS}.')
        else:
            with path.open('rb') as file:
                if not file.read(1):
                    raise SourceError(f"'{path}' is empty: copy or record it again.")
    # A home folder that is not known is a RuntimeError.
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SourceError(
            f"'{path}' cannot be read ({reason}): check the path and its permissions.") from None
    return path


def _images(path: Path, rate_hz: float, split: str) -> Source:
    if path.is_file():
        return _images_of_file(path, rate_hz)
    if (path / f'{split}annot').is_dir():
        try:
            return CamVidSource(CamVid(path, split), rate_hz)
        except (ValueError, OSError) as error:
            raise SourceError(f'{error}.') from None
    folder = image_folder(path)
    if folder is None:
        raise SourceError(f"'{path}' holds nothing to play{_content(path)}: expected images "
                          f'({", ".join(sorted(IMAGE_SUFFIXES))}), also in a subfolder, a bag '
                          f"(.db3, .mcap or .bag), or CamVid with a '{split}annot' folder; give a "
                          'video or a recording as a file.')
    source = ImagesSource(tuple(image_files(folder)), rate_hz)
    if folder != path:
        source.report.note(f"the images of '{folder}' are played, the only ones of a camera")
    return source


def _images_of_file(path: Path, rate_hz: float) -> Source:
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return ImagesSource((path,), rate_hz)
    with path.open('rb') as file:
        start = file.read(4096)
    # Some texts are play lists, which would make FFmpeg open what they name.
    if start.isascii() and not start.translate(None, bytes(range(32, 127)) + b'\t\n\r\f\v'):
        raise SourceError(
            f"'{path}' is a text file, not a video: give {KINDS}; for events as text give "
            "choose the sensors 'events'.")
    # Damage at the start is reported before anything is published.
    with opened(path):
        return VideoSource(path, rate_hz)


def _content(folder: Path) -> str:
    """Return a remark on the endings of the files in a folder, most frequent first."""
    counts = Counter(path.suffix.lower() or 'without ending'
                     for path in folder.iterdir() if path.is_file() and not is_hidden(path))
    named = ', '.join(f'{count} {suffix}' for suffix, count in counts.most_common(4))
    return f' (its files: {named})' if named else ' (it has no files)'


def _is_bag(path: Path) -> bool:
    try:
        return is_bag(path) or (path / 'metadata.yaml').exists()
    except (OSError, ValueError) as error:
        raise SourceError(f"'{path}' cannot be played: {error}") from None


def is_recording(path: Path) -> bool:
    """Return whether a file is a recording of an event camera, by content and name."""
    try:
        return recognise(path).name != TEXT or path.suffix.lower() in TEXT_SUFFIXES
    except ValueError:
        return False
