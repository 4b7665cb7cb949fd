# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames, labels and events of a bag of ROS 1 or ROS 2, read without ROS."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mfs_seg_core.bags.bag import Bag, BagMessage
from mfs_seg_core.bags.definitions import COMPRESSED, IMAGE
from mfs_seg_core.bags.reader import read_message
from mfs_seg_core.bags.storage import Channel
from mfs_seg_core.events.bag_messages import (
    EventMessageDecoder,
    choose_event_channel,
    read_events,
)
from mfs_seg_core.events.dvs_messages import EventArray
from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.images import ImageStream, MessageError, to_labels
from mfs_seg_core.labels import CAMVID, UNLABELLED
from mfs_seg_core.sources.bag_topics import choose_image_channels
from mfs_seg_core.sources.items import EventBatch, Frame, RecordedHeader, SourceError
from mfs_seg_core.sources.packetize import batches
from mfs_seg_core.sources.recording import in_order
from mfs_seg_core.sources.source import Source
from mfs_seg_core.util.serialization import nanoseconds
from mfs_seg_core.util.text import printable

# An image waits for its label; with this many waiting, the first one has none.
MAX_WAITING = 32
# A longer delay from stamp to recording is that of another clock.
MAX_DELAY_NS = 1_000_000_000
# An array of events is cut at whole seconds, as the time of EVT3 needs a word for each 4 ms.
ARRAY_US = 1_000_000


@dataclass(frozen=True)
class BagSource(Source):
    """
    The images of a bag, each with the label of the same header stamp, and its events.

    Without events, images are due at their stamps. With events, all messages are due in the order
    and at the times of their recording; packets are passed on unchanged, arrays as EVT3.

    :param path: folder or file.
    :param image_topic: topic of the images; empty: see
        :mod:`mfs_seg_core.sources.bag_topics`.
    :param label_topic: topic of the labels; empty: likewise.
    :param event_topic: topic of the events; empty: the first by name that holds events.
    :param sensors: 'camera', 'events' or 'fusion'; with 'events', a bag with labels still yields
        its images.
    :param sensor_size: width and height of the event sensor for arrays that declare none.
    """

    path: Path
    image_topic: str = ''
    label_topic: str = ''
    event_topic: str = ''
    sensors: str = 'camera'
    sensor_size: tuple[int, int] | None = None

    def __iter__(self) -> Iterator[Frame | EventBatch]:
        try:
            with closing(Bag(self.path)) as bag:
                for sentence in bag.remarks:
                    self.report.note(sentence)
                yield from self._items(bag)
                for sentence in bag.damage:
                    self.report.note(sentence, incomplete=True)
        except SourceError:
            raise
        except ValueError as error:
            raise SourceError(str(error)) from None

    def _items(self, bag: Bag) -> Iterator[Frame | EventBatch]:
        stream = ImageStream()
        labels: dict[int, Any] = {}
        played = False
        for item in self._in_turn(bag, labels):
            for ready in self._ready(item, stream, labels):
                played = True
                yield ready
        if not played:
            reason = ''.join(f': {sentence}' for sentence in self.report.first_skipped[:1])
            raise SourceError(f"'{self.path}' has no readable message on the chosen topics{reason}"
                              f'{bag.excuse}.')

    def _in_turn(
        self, bag: Bag, label_messages: dict[int, Any]
    ) -> Iterator[EventBatch | WaitingImage]:
        """Yield batches and images in their order, an image after the time of its label."""
        images, labels, events = self._channels(bag)
        event_reader = EventReader(self) if events else None
        waiting: deque[EventBatch | WaitingImage] = deque()
        waiting_images = 0
        for message in bag.messages([channel for channel in (images, labels, events) if channel]):
            if message.channel == events:
                waiting.extend(event_reader.batches(message))
            elif (read := self._read(message, message.channel == labels)) is not None:
                stamp, fields = read
                time_ns, delay_s = stamp or message.time_ns, 0.0
                if message.channel == labels:
                    label_messages[time_ns] = fields
                else:
                    key = time_ns
                    if events:
                        time_ns, delay_s = on_clock(stamp, message.time_ns)
                    recorded = RecordedHeader(stamp, str(fields.header.frame_id), message.time_ns)
                    waiting.append(WaitingImage(
                        key, message.channel.topic, fields, time_ns / 1e9, delay_s, recorded))
                    waiting_images += 1
            while waiting and (
                isinstance(waiting[0], EventBatch)
                or labels is None
                or any(key >= waiting[0].key for key in label_messages)
                or waiting_images > MAX_WAITING
            ):
                waiting_images -= isinstance(waiting[0], WaitingImage)
                yield waiting.popleft()
        yield from waiting

    def _channels(self, bag: Bag) -> tuple[Channel | None, Channel | None, Channel | None]:
        images = labels = events = None
        if self.sensors != 'camera':
            events = choose_event_channel(bag, self.event_topic)
        if self.sensors != 'events':
            images, labels = choose_image_channels(bag, self.image_topic, self.label_topic)
        elif any(channel.kind in (IMAGE, COMPRESSED) for channel in bag.channels):
            # Labels belong to images. Without labels, images are not needed.
            try:
                images, labels = choose_image_channels(bag, self.image_topic, self.label_topic)
            except SourceError:
                if self.image_topic or self.label_topic:
                    raise
            images = images if labels else None
        return images, labels, events

    def _read(self, message: BagMessage, is_label: bool) -> tuple[int, Any] | None:
        """Return stamp and fields of a message of an image; None: it is broken."""
        try:
            fields = read_message(message.channel, message.data)
            stamp = fields.header.stamp
            return nanoseconds(stamp.sec, stamp.nanosec), fields
        except (ValueError, AttributeError) as error:
            self.report.skip('labels' if is_label else 'frames', _named(message, error))
            return None

    def _ready(
        self, item: EventBatch | WaitingImage, stream: ImageStream, labels: dict[int, Any]
    ) -> Iterator[EventBatch | Frame]:
        """Yield an item, an image with its label; nothing if the image is broken."""
        if isinstance(item, EventBatch):
            yield item
            return
        label = labels.get(item.key)
        for old in [key for key in labels if key <= item.key]:
            del labels[old]
        try:
            image = stream.rgb(item.message)
        except MessageError as error:
            self.report.skip('frames', f'the image of {printable(item.topic)} with stamp '
                                       f'{item.key} ns: {error}')
            return
        for sentence in stream.new_remarks():
            self.report.note(f'{printable(item.topic)}: {sentence}')
        ids = None
        try:
            ids = None if label is None else _class_ids(label)
        except MessageError as error:
            self.report.skip('labels', f'the label of {printable(item.topic)} with stamp '
                                       f'{item.key} ns: {error}')
        yield Frame(image, ids, item.time_s, item.delay_s, recorded=item.recorded)


@dataclass(frozen=True)
class WaitingImage:
    """An image that waits for its label, which has the same ``key``, its stamp in nanoseconds."""

    key: int
    topic: str
    message: Any
    time_s: float
    delay_s: float
    recorded: RecordedHeader


class EventReader:
    """
    Reads the event messages of a bag as batches, and counts their faults.

    :param source: the source, whose report names broken messages.
    """

    def __init__(self, source: BagSource):
        self._source = source
        self.decoder = EventMessageDecoder(source.sensor_size)
        self.accepted = 0

    def batches(self, message: BagMessage) -> Iterator[EventBatch]:
        """Yield the batches of a message: one of a packet, at least one of an array."""
        try:
            found = read_events(message.channel, message.data)
            # Decoded to count its faults: the node decodes again what is published.
            events = self.decoder.decode(found)
            self.accepted += events.count
            self._source.report.count_events(self.decoder.faults, self.accepted)
            if isinstance(found, EventArray):
                made = list(self._encoded(found, events, message.time_ns))
            else:
                made = [_packet(found, message.time_ns)]
        except ValueError as error:
            self._source.report.skip('packets', _named(message, error))
            return
        yield from made

    def _encoded(self, array: EventArray, events, log_ns: int) -> Iterator[EventBatch]:
        """Encode the events of an array as EVT3."""
        size = self.decoder.size_of(array)
        for part in in_order(events):
            for batch in batches(part, *size, ARRAY_US):
                # Events in another clock than that of the recording begin at the stamp.
                first_ns = round(batch.time_s * 1e6) * 1000
                if abs(first_ns - log_ns) >= MAX_DELAY_NS:
                    first_ns = array.stamp_ns
                time_ns, delay_s = on_clock(first_ns, log_ns)
                yield replace(batch, time_s=time_ns / 1e9, delay_s=delay_s,
                              recorded=RecordedHeader(array.stamp_ns, array.frame_id, log_ns))


def _packet(packet: EventPacket, log_ns: int) -> EventBatch:
    time_ns, delay_s = on_clock(packet.stamp_ns, log_ns)
    return EventBatch(bytes(packet.payload), packet.encoding, packet.width, packet.height,
                      time_ns / 1e9, delay_s, packet.seq, packet.time_base_ns,
                      recorded=RecordedHeader(packet.stamp_ns, packet.frame_id, log_ns))


def on_clock(stamp_ns: int, log_ns: int) -> tuple[int, float]:
    """
    Return the time of a message on the clock of the recording, and the delay of its recording.

    :param stamp_ns: its stamp in nanoseconds.
    :param log_ns: time of its recording in nanoseconds.
    :returns: the stamp, or the time of recording if the stamp is of another clock, in nanoseconds;
        seconds from then to the recording.
    """
    time_ns = stamp_ns if abs(stamp_ns - log_ns) < MAX_DELAY_NS else log_ns
    return time_ns, (log_ns - time_ns) / 1e9


def _named(message: BagMessage, error: Exception) -> str:
    return (f'a message of {printable(message.channel.topic)}, recorded at {message.time_ns} ns: '
            f'{error}')


def _class_ids(message: Any) -> np.ndarray:
    ids = _decoded_ids(message) if _is_compressed(message) else to_labels(message)
    # Recordings mark void by one more than the last class, as CamVid's files do, or by 255.
    return np.where(ids < len(CAMVID), ids, UNLABELLED).astype(np.uint8)


def _is_compressed(message: Any) -> bool:
    return hasattr(message, 'format')


def _decoded_ids(message: Any) -> np.ndarray:
    data = np.frombuffer(message.data, np.uint8)
    try:
        ids = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    except cv2.error:
        ids = None
    if ids is None or ids.ndim != 2 or ids.dtype != np.uint8:
        raise MessageError(
            f"a compressed label of format '{printable(message.format)}' is not an image of class "
            'ids: it must be a PNG of 8-bit grey values')
    return ids
