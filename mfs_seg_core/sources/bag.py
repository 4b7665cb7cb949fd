# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames and event packets of a rosbag2 (db3, mcap), read without ROS."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2 import Reader, ReaderError

from mfs_seg_core.events.recordings.bag import choose_event_topic
from mfs_seg_core.images import decode_rgb, to_labels, to_rgb
from mfs_seg_core.labels import CAMVID, UNLABELLED
from mfs_seg_core.sources.bag_topics import IMAGE_TYPES, choose_topics, known_types
from mfs_seg_core.sources.items import EventBatch, Frame, SourceError
from mfs_seg_core.sources.source import Source

# An image waits for its label; with this many waiting, the first one has none.
MAX_WAITING = 32
# A longer delay from stamp to recording is that of another clock.
MAX_DELAY_NS = 1_000_000_000


@dataclass(frozen=True)
class BagSource(Source):
    """
    The images of a rosbag2, each with the label of the same header stamp, and its event packets.

    Without events, images are due at their stamps. With events, all messages are due in the order
    and at the times of their recording; packets are passed on unchanged.

    :param path: folder or file.
    :param file: bag file to read where the folder has no usable metadata.
    :param image_topic: topic of the images; empty: see
        :mod:`mfs_seg_core.sources.bag_topics`.
    :param label_topic: topic of the labels; empty: likewise.
    :param event_topic: topic of the events; empty: the only one.
    :param sensors: 'camera', 'events' or 'fusion'; with 'events', a bag with labels still yields
        its images.
    """

    path: Path
    file: Path | None = None
    image_topic: str = ''
    label_topic: str = ''
    event_topic: str = ''
    sensors: str = 'camera'

    def __iter__(self) -> Iterator[Frame | EventBatch]:
        try:
            with closing(self._opened()) as reader:
                yield from self._items(reader)
        except ReaderError as error:
            raise SourceError(
                f"'{self.path}' cannot be read as a rosbag2: {error} Give a folder with "
                'metadata.yaml, or its .db3 or .mcap file.'
            ) from None

    def _opened(self) -> Reader:
        try:
            reader = Reader(self.path)
            reader.open()
        except ReaderError:
            if self.file is None:
                raise
            reader = Reader(self.file)
            reader.open()
        return reader

    def _items(self, reader: Reader) -> Iterator[Frame | EventBatch]:
        image_topic, label_topic, event_topic = self._topics(reader)
        # A topic recorded from several publishers has several connections.
        connections = [item for item in reader.connections
                       if item.topic in (image_topic, label_topic, event_topic)]
        waiting: deque[EventBatch | WaitingImage] = deque()
        labels: dict[int, Any] = {}
        for connection, log_ns, data in reader.messages(connections):
            message = known_types().deserialize_cdr(data, connection.msgtype)
            stamp = _stamp_ns(message)
            time_ns = stamp or log_ns
            delay_s = 0.0
            if event_topic:
                time_ns = stamp if abs(stamp - log_ns) < MAX_DELAY_NS else log_ns
                delay_s = (log_ns - time_ns) / 1e9
            if connection.topic == event_topic:
                waiting.append(_batch(message, time_ns / 1e9, delay_s))
            elif connection.topic == image_topic:
                waiting.append(WaitingImage(stamp or log_ns, message, time_ns / 1e9, delay_s))
            else:
                labels[stamp or log_ns] = message
            while waiting and (
                isinstance(waiting[0], EventBatch)
                or label_topic is None
                or any(key >= waiting[0].key for key in labels)
                or sum(isinstance(item, WaitingImage) for item in waiting) > MAX_WAITING
            ):
                yield _ready(waiting.popleft(), labels)
        while waiting:
            yield _ready(waiting.popleft(), labels)

    def _topics(self, reader: Reader) -> tuple[str | None, str | None, str | None]:
        connections = list(reader.connections)
        image_topic = label_topic = event_topic = None
        if self.sensors != 'camera':
            try:
                event_topic = choose_event_topic(connections, self.event_topic, self.path)
            except ValueError as error:
                raise SourceError(str(error)) from None
        if self.sensors != 'events' or any(item.msgtype in IMAGE_TYPES for item in connections):
            image_topic, label_topic = choose_topics(
                connections, self.image_topic, self.label_topic, self.path)
        return image_topic, label_topic, event_topic


@dataclass(frozen=True)
class WaitingImage:
    """An image that waits for its label, which has the same ``key`` in nanoseconds."""

    key: int
    message: Any
    time_s: float
    delay_s: float


def _batch(message: Any, time_s: float, delay_s: float) -> EventBatch:
    return EventBatch(
        message.events.tobytes(), message.encoding, message.width, message.height, time_s, delay_s,
        message.seq, message.time_base, message.is_bigendian)


def _ready(item: EventBatch | WaitingImage, labels: dict[int, Any]) -> EventBatch | Frame:
    if isinstance(item, EventBatch):
        return item
    label = labels.get(item.key)
    for old in [key for key in labels if key <= item.key]:
        del labels[old]
    return Frame(_rgb(item.message), None if label is None else _class_ids(label), item.time_s,
                 item.delay_s)


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
            f"the compressed label of stamp {_stamp_ns(message)} ns and format '{message.format}' "
            'is not an image of class ids: it must be a PNG of 8-bit grey values'
        )
    return ids


def _stamp_ns(message: Any) -> int:
    stamp = message.header.stamp
    return stamp.sec * 1_000_000_000 + stamp.nanosec
