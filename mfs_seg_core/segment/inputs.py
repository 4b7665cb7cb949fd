# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs of ``mfs-seg segment``: the names of their results, their sensors, and their sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from mfs_seg_core.bags.bag import Bag
from mfs_seg_core.bags.files import is_bag, plain
from mfs_seg_core.events.bag_messages import holds_events
from mfs_seg_core.segment.settings import SegmentSettings
from mfs_seg_core.sources.bag_topics import NEVER, image_topics
from mfs_seg_core.sources.device import DeviceSource, device_of
from mfs_seg_core.sources.image_files import image_folder, is_hidden
from mfs_seg_core.sources.items import SourceError
from mfs_seg_core.sources.open_source import TEXT_SUFFIXES, is_recording, open_source
from mfs_seg_core.sources.source import Source
from mfs_seg_core.sources.street import STREET
from mfs_seg_core.streaming.segmenter import Segmenter
from mfs_seg_core.util.file_order import by_number
from mfs_seg_core.util.modalities import SENSORS

# Videos that are found in a folder; any other is given by its own name.
VIDEO_SUFFIXES = {'.mp4', '.avi', '.mkv', '.mov', '.webm', '.m4v'}


def expanded(inputs: Iterable[str]) -> list[str]:
    """
    Replace folders of recordings by what is in them.

    :param inputs: inputs of a call.
    :returns: inputs, with the bags, recordings and videos of a folder that is none of an input's
        own kinds.
    """
    found: list[str] = []
    for each in inputs:
        found += _recordings_in(Path(each)) or [each]
    return found


def _recordings_in(folder: Path) -> list[str]:
    """Return the recordings in a folder by name; none for an input itself."""
    try:
        if not folder.is_dir() or _is_input(folder):
            return []
        return [str(path) for path in sorted(folder.iterdir(), key=by_number)
                if not is_hidden(path) and _is_recorded(path)]
    # What is wrong with it is said where it is opened.
    except (OSError, ValueError):
        return []


def _is_input(folder: Path) -> bool:
    try:
        return is_bag(folder) or image_folder(folder) is not None
    except SourceError:
        return True
    # It holds several bags.
    except ValueError:
        return False


def _is_recorded(path: Path) -> bool:
    suffix = path.suffix.lower()
    # A text may be a note.
    return is_bag(path) or path.is_file() and suffix not in TEXT_SUFFIXES and (
        suffix in VIDEO_SUFFIXES or is_recording(path))


def result_names(inputs: Iterable[str]) -> list[str]:
    """
    Return the name of the folder of each input's results.

    :param inputs: inputs of a call.
    :returns: name of the file or folder without suffix; of equal names, later ones are numbered.
    """
    names: list[str] = []
    for each in inputs:
        path = plain(Path(each))
        stem = (path.name if path.is_dir() else path.stem) or 'input'
        name, number = stem, 2
        while name in names:
            name, number = f'{stem}_{number}', number + 1
        names.append(name)
    return names


def open_input(given: str, settings: SegmentSettings, segmenter: Segmenter
               ) -> tuple[Source, str]:
    """
    Open an input.

    :param given: path, device or 'street'.
    :param settings: settings of the call.
    :param segmenter: a stream of the weights.
    :returns: the source, and the sensors that are segmented.
    :raises ValueError: there is nothing to segment, or nothing that the weights take; one sentence.
    """
    device = device_of(given)
    sensors = settings.sensors or sensors_of(given, segmenter.sensors)
    absent = [name for name in SENSORS[sensors] if name not in segmenter.sensors]
    if absent:
        raise SourceError(f"the weights '{segmenter.name}' take no {' and no '.join(absent)} of "
                          f"'{given}': give --sensors {segmenter.modality}, or other weights.")
    if device is not None:
        if sensors != 'camera':
            raise SourceError(f"'{given}' is a camera device, without events: give "
                              '--sensors camera.')
        return DeviceSource(device), sensors
    width, height = segmenter.input_size if given == STREET else (0, 0)
    if given == STREET and not settings.frames:
        raise SourceError('Street has no end: give --frames, such as 200.')
    return open_source(
        given, sensors=sensors, seed=settings.seed, width=width, height=height,
        rate_hz=settings.rate_hz, image_topic=settings.image_topic,
        label_topic=settings.label_topic, event_topic=settings.event_topic,
        sensor_size=settings.sensor_size), sensors


def bag_of(given: str) -> Bag | None:
    """
    Open an input that is a bag, to copy its messages.

    :param given: the input.
    :returns: the bag, which the caller closes; None: it is no bag.
    :raises ValueError: nothing of it can be read; one sentence.
    """
    path = Path(given)
    return Bag(path) if path.exists() and is_bag(path) else None


def sensors_of(given: str, supported: Sequence[str]) -> str:
    """
    Choose what of an input is segmented.

    :param given: the input.
    :param supported: sensors that the weights take: 'camera', 'events' or both.
    :returns: 'events' for an input without images, and for weights that take none, else 'camera'.
    """
    if 'camera' not in supported:
        return 'events'
    path = Path(given)
    try:
        if not path.exists():
            return 'camera'
        if is_bag(path):
            with closing(Bag(path)) as bag:
                has_images = any(topic.rank < NEVER for topic in image_topics(bag))
                has_events = any(map(holds_events, bag.channels))
            return 'events' if has_events and not has_images else 'camera'
        return 'events' if path.is_file() and is_recording(path) else 'camera'
    # What is wrong with it is said where it is opened.
    except (OSError, ValueError):
        return 'camera'
