# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A rosbag2 (MCAP) of an input with its masks, to play by ``ros2 bag play``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.errors import WriterError

from mfs_seg_core.bags.bag import Bag, BagMessage
from mfs_seg_core.bags.definitions import IMAGE
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.segment import bag_types
from mfs_seg_core.segment.steps import StepHeader, header_of
from mfs_seg_core.sources.items import EventBatch, Frame

RESULTS = MASK, CONFIDENCE, LABEL_INFO = (
    '/mfs_seg/mask', '/mfs_seg/confidence', '/mfs_seg/label_info')
# Topics of an input that is no bag, as the player has them.
CAMERA, LABEL, EVENTS = '/camera/image_raw', '/camera/label', '/event_camera/events'
# Version of metadata.yaml that ROS 2 from Humble on reads.
VERSION = 8


class BagOutput:
    """
    Writes a bag with the messages of the input, unchanged, and those of the results.

    Of a bag, all messages are copied; of other inputs, images, labels and events are written.

    :param path: folder of the finished bag.
    :param unfinished: folder that it is written in.
    :param classes: classes of the masks.
    :param copied: the bag that is segmented; None: the input is no bag.
    :raises OSError: it cannot be written; one sentence.
    """

    def __init__(self, path: Path, unfinished: Path, classes: ClassSet, copied: Bag | None):
        self._path, self._classes = path, classes
        self._part = unfinished / path.name
        shutil.rmtree(self._part, ignore_errors=True)
        self._types = bag_types.typestore(copied.channels if copied else ())
        self._writer = Writer(self._part, version=VERSION, storage_plugin=StoragePlugin.MCAP)
        self._connections: dict[Any, Any] = {}
        self._sequence = 0
        #: Sentences on what is not in the bag.
        self.remarks: list[str] = []
        self._guard(self._writer.open)
        self._raw = iter(()) if copied is None else self._messages(copied)
        self._next: BagMessage | None = next(self._raw, None)
        self._declare_results()

    def _declare_results(self) -> None:
        for topic in (MASK, CONFIDENCE):
            self._connect(topic, IMAGE, bag_types.RESULT)
        self._connect(LABEL_INFO, bag_types.LABEL_INFO, bag_types.LATCHED)
        self._has_labels = False

    def _connect(self, topic: str, kind: str, qos: Any) -> None:
        self._connections[topic] = self._writer.add_connection(
            topic, kind, typestore=self._types, offered_qos_profiles=[qos])

    def _messages(self, bag: Bag) -> Iterator[BagMessage]:
        """Yield the messages to copy, after their channels are declared."""
        chosen = []
        for channel in bag.channels:
            problem = ('a topic of the results has its name' if channel.topic in RESULTS else
                       bag_types.declare(self._writer, self._types, channel, self._connections))
            if problem:
                self.remarks.append(f"'{channel.topic}' is not copied into the bag: {problem}.")
            else:
                chosen.append(channel)
        return bag.messages(chosen)

    def add_item(self, item: Frame | EventBatch) -> None:
        """
        Write an image, label or batch of events of an input that is no bag.

        :param item: the item.
        :raises OSError: it cannot be written; one sentence.
        """
        header = header_of(item)
        if isinstance(item, EventBatch):
            self._sequence += 1
            self._write(EVENTS, bag_types.EVENT_PACKET, header, (
                item.height, item.width, self._sequence, item.time_base, item.encoding,
                item.is_bigendian, np.frombuffer(item.data, np.uint8)))
            return
        if item.image is not None:
            self._write_image(CAMERA, header, item.image, 'rgb8')
        if item.label is not None:
            self._write_image(LABEL, header, item.label, 'mono8')

    def add(self, header: StepHeader, mask: np.ndarray, confidence: np.ndarray | None) -> None:
        """
        Write the results of a step, after the messages of the input until its recording.

        :param header: header of the message that completed the step.
        :param mask: uint8 ``[H, W]`` class ids.
        :param confidence: uint8 ``[H, W]``; None: there is none.
        :raises OSError: it cannot be written; one sentence.
        """
        self._copy(header.log_ns)
        if not self._has_labels:
            self._has_labels = True
            kind = self._types.types[bag_types.VISION_CLASS]
            self._write(LABEL_INFO, bag_types.LABEL_INFO, header,
                        ([kind(number, name) for number, name in self._classes.named_ids()], 0.0))
        self._write_image(MASK, header, mask, 'mono8')
        if confidence is not None:
            self._write_image(CONFIDENCE, header, confidence, 'mono8')

    def finish(self) -> None:
        """
        Copy the rest of the input, and rename the bag.

        :raises OSError: it cannot be written; one sentence.
        """
        self._copy(None)
        self._guard(self._writer.close)
        shutil.rmtree(self._path, ignore_errors=True)
        os.replace(self._part, self._path)

    def discard(self) -> None:
        """Remove the unfinished bag."""
        self._writer.abort()
        shutil.rmtree(self._part, ignore_errors=True)

    def _copy(self, until_ns: int | None) -> None:
        """Copy the messages that were recorded until then; None: all."""
        while self._next is not None and (until_ns is None or self._next.time_ns <= until_ns):
            channel, time_ns, data = self._next
            if channel.serialization == 'ros1':
                data = bag_types.to_cdr(self._types, channel, data)
            if data:
                self._guard(self._writer.write, self._connections[channel], time_ns, data)
            self._next = next(self._raw, None)

    def _write_image(self, topic: str, header: StepHeader, pixels: np.ndarray, encoding: str
                     ) -> None:
        height, width = pixels.shape[:2]
        data = np.ascontiguousarray(pixels).reshape(-1)
        self._write(topic, IMAGE, header,
                    (height, width, encoding, 0, data.size // height, data))

    def _write(self, topic: str, kind: str, header: StepHeader, fields: Iterable[Any]) -> None:
        if topic not in self._connections:
            self._connect(topic, kind, bag_types.RESULT)
        message = self._types.types[kind](bag_types.header(self._types, header), *fields)
        self._guard(self._writer.write, self._connections[topic], header.log_ns,
                    self._types.serialize_cdr(message, kind))

    def _guard(self, call, *arguments) -> None:
        try:
            call(*arguments)
        except (OSError, WriterError) as error:
            reason = getattr(error, 'strerror', None) or error
            raise OSError(f"'{self._path}' cannot be written ({reason}): make room on the disk, "
                          'or choose another folder') from None
