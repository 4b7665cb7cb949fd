# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames from a rosbag2 (db3, mcap), read without ROS."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore

from mfs_seg_core.labels import CAMVID, UNLABELLED
from mfs_seg_ros.frames import Frame, SourceError
from mfs_seg_ros.messages import decode_rgb, to_labels, to_rgb

IMAGE_TYPES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
# An image waits for its label; with this many waiting, the first one has none.
MAX_WAITING = 32


@dataclass(frozen=True)
class BagSource:
    """
    The images of one topic of a rosbag2, each with the label of the same header stamp.

    Empty topic names are chosen: the label topic is the image topic with 'label' in its name, the
    image topic the other one (raw before compressed, then by name).
    """

    path: Path
    image_topic: str = ''
    label_topic: str = ''

    def __iter__(self) -> Iterator[Frame]:
        try:
            with AnyReader(
                [self.path], default_typestore=get_typestore(Stores.LATEST)
            ) as reader:
                yield from self._frames(reader)
        except AnyReaderError as error:
            raise SourceError(
                f"'{self.path}' cannot be read as a rosbag2: {error} Give a folder with "
                'metadata.yaml, or its .db3 or .mcap file.'
            ) from None

    def _frames(self, reader: AnyReader) -> Iterator[Frame]:
        image_connection, label_connection = choose_topics(
            reader.connections, self.image_topic, self.label_topic, self.path
        )
        topics = {item.topic for item in (image_connection, label_connection) if item}
        # A topic recorded from several publishers has several connections.
        connections = [item for item in reader.connections if item.topic in topics]
        waiting: deque[tuple[int, Any]] = deque()
        labels: dict[int, Any] = {}
        for connection, log_time, data in reader.messages(connections):
            message = reader.deserialize(data, connection.msgtype)
            stamp = stamp_ns(message) or log_time
            if connection.topic == image_connection.topic:
                waiting.append((stamp, message))
            else:
                labels[stamp] = message
            while waiting and (
                label_connection is None
                or waiting[0][0] in labels
                or any(stamp > waiting[0][0] for stamp in labels)
                or len(waiting) > MAX_WAITING
            ):
                yield _frame(*waiting.popleft(), labels)
        while waiting:
            yield _frame(*waiting.popleft(), labels)


def choose_topics(
    connections: list[Connection], image_topic: str, label_topic: str, path: Path
) -> tuple[Connection, Connection | None]:
    """Return the connections of images and of labels (None without); raises SourceError."""
    # 'Image' sorts after 'CompressedImage': the raw topic of two is the first.
    candidates = sorted(
        (item for item in connections if item.msgtype in IMAGE_TYPES),
        key=lambda item: (item.msgtype != IMAGE_TYPES[0], item.topic),
    )
    by_topic = {item.topic: item for item in reversed(candidates)}
    for topic in filter(None, (image_topic, label_topic)):
        if topic not in by_topic:
            raise SourceError(
                f"'{path}' has no image topic '{topic}': it has {_listed(by_topic)}."
            )
    label = by_topic.get(label_topic) or next(
        (item for item in candidates if 'label' in item.topic and item.topic != image_topic), None
    )
    image = by_topic.get(image_topic) or next(
        (item for item in candidates if item is not label), None
    )
    if image is None:
        raise SourceError(
            f"'{path}' has no topic of camera images (sensor_msgs Image or CompressedImage): "
            f'its topics are {_listed({item.topic for item in connections})}.'
        )
    return image, label


def stamp_ns(message: Any) -> int:
    """Return the header stamp of a message in nanoseconds."""
    stamp = message.header.stamp
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def _listed(topics: Any) -> str:
    return ', '.join(sorted(topics)) or 'none'


def _frame(stamp: int, message: Any, labels: dict[int, Any]) -> Frame:
    label = labels.get(stamp)
    for old in [key for key in labels if key <= stamp]:
        del labels[old]
    return Frame(_rgb(message), None if label is None else _class_ids(label), stamp / 1e9)


def _rgb(message: Any) -> np.ndarray:
    return decode_rgb(message) if _is_compressed(message) else to_rgb(message)


def _class_ids(message: Any) -> np.ndarray:
    ids = _decoded_ids(message) if _is_compressed(message) else to_labels(message)
    # Recordings mark void by one more than the last class, as CamVid's files do, or by 255.
    return np.where(ids < len(CAMVID), ids, UNLABELLED).astype(np.uint8)


def _is_compressed(message: Any) -> bool:
    return message.__msgtype__ == IMAGE_TYPES[1]


def _decoded_ids(message: Any) -> np.ndarray:
    data = np.frombuffer(message.data, np.uint8)
    ids = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if ids is None or ids.ndim != 2 or ids.dtype != np.uint8:
        raise SourceError(
            f"the compressed label of stamp {stamp_ns(message)} ns and format '{message.format}' "
            'is no image of class ids: it must be a PNG of 8-bit grey values'
        )
    return ids
