# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The readers that are fuzzed; a new reader adds a row here."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin

from mfs_seg_core.events.recordings import open_recording
from mfs_seg_core.sources.open_source import open_source
from support.bags import (
    KINDS,
    ROS1,
    compressed,
    event_array,
    file_of,
    image,
    packet,
    write_bag,
)
from support.event_encoders import libcaer
from support.event_files import SIZE, WRITERS
from support.event_trees import random_events
from support.fuzzing import Target
from support.videos import jpeg, write_mkv, write_video

EVENTS = random_events(700, 90_000, SIZE)


def read_events(path: Path) -> int:
    """Read all events, triggers and frames of a recording; return the number of events."""
    recording = open_recording(path)
    count = sum(events.count for events in recording)
    assert recording.accepted == count
    assert recording.triggers.t.size >= 0 and all(recording.faults.values())
    for _ in recording.frames():
        pass
    return count


def _event_target(name: str) -> Target:
    suffix, write = WRITERS[name]
    return Target(name, suffix, lambda path: write(path, EVENTS), read_events)


def read_frames(path: Path) -> int:
    """Read all frames of an image or a video; return their number."""
    source = open_source(path)
    times = []
    for frame in source:
        assert frame.image.dtype == np.uint8 and frame.image.shape[2:] == (3,)
        times.append(frame.time_s)
    assert all(np.isfinite(times)) and all(np.diff(times) > 0)
    assert all(text.isprintable() for text in source.report.sentences())
    return len(times)


def _image_target(suffix: str, dtype: type = np.uint8) -> Target:
    image = np.random.default_rng(0).integers(0, 4000, (12, 16, 3)).astype(dtype)
    return Target(f'image{suffix} {image.dtype}', suffix,
                  lambda path: cv2.imwrite(str(path), image), read_frames)


def _video_target(suffix: str, code: str) -> Target:
    return Target(f'video {code}{suffix}', suffix,
                  lambda path: write_video(path, code, 10, range(0, 200, 25)), read_frames)


def write_seed_bag(path: Path, kind, compression: tuple | None) -> None:
    """Write a bag with images, packets and arrays of events."""
    start_ns, step_ns = 1_700_000_000 * 10**9, 10_000_000
    events = EVENTS._replace(t=EVENTS.t + start_ns // 1000)
    topics: dict[str, list] = {'/a/image': [], '/b/compressed': [], '/c/packets': [],
                               '/d/arrays': []}
    for index in range(6):
        now = start_ns + index * step_ns
        part = events.where(slice(10 * index, 10 * index + 10))
        for topic, message in zip(topics, (
                image(np.full((8, 8, 3), index, np.uint8), 'rgb8', now, kind),
                compressed(jpeg(10 * index), 'jpeg', now, kind),
                packet(libcaer(part), 'libcaer', SIZE, now, index, kind),
                event_array(part, SIZE, now, kind))):
            topics[topic].append((now, message))
    with TemporaryDirectory() as folder:
        file_of(write_bag(Path(folder, 'bag'), topics, kind, compression)).rename(path)


def read_bag(path: Path) -> None:
    """Read events and frames of a bag; raise the first of the errors."""
    errors = []
    for sensors in ('', 'camera', 'fusion'):
        try:
            if not sensors:
                read_events(path)
                continue
            source = open_source(path, sensors=sensors)
            for _ in source:
                pass
            assert all(text.isprintable() for text in source.report.sentences())
        except ValueError as error:
            assert str(path) in str(error) and str(error).isprintable(), str(error)
            errors.append(error)
    if errors:
        raise errors[0]


def _bag_target(kind, *compression) -> Target:
    suffix = {StoragePlugin.MCAP: '.mcap', StoragePlugin.SQLITE3: '.db3', ROS1: '.bag'}[kind]
    name = ' '.join(getattr(part, 'name', part) for part in (kind, *compression[:1]))
    return Target(f'bag {name}', suffix,
                  lambda path: write_seed_bag(path, kind, compression or None), read_bag)


TARGETS = {target.name: target for target in (
    *map(_event_target, WRITERS),
    *map(_image_target, ('.png', '.jpg', '.tif', '.bmp', '.ppm', '.webp')),
    _image_target('.png', np.uint16),
    *(_video_target(suffix, code) for suffix, code in (
        ('.avi', 'MJPG'), ('.mp4', 'mp4v'), ('.mkv', 'VP80'), ('.mkv', 'FFV1'))),
    Target('video browser.webm', '.webm', lambda path: write_mkv(
        path, [(30 * index, jpeg(10 * index)) for index in range(8)]), read_frames),
    *map(_bag_target, KINDS),
    _bag_target(StoragePlugin.MCAP, CompressionMode.STORAGE, CompressionFormat.ZSTD),
    _bag_target(StoragePlugin.SQLITE3, CompressionMode.MESSAGE, CompressionFormat.ZSTD),
    _bag_target(ROS1, Ros1Writer.CompressionFormat.LZ4),
    _bag_target(ROS1, Ros1Writer.CompressionFormat.BZ2),
)}
