# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Event messages in bags: EventPackets, and arrays of events of any package that has x, y, ts."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np

from mfs_seg_core.bags.bag import Bag, listed
from mfs_seg_core.bags.definitions import KNOWN, types_of
from mfs_seg_core.bags.reader import leaves, read_message
from mfs_seg_core.bags.storage import Channel
from mfs_seg_core.events.decoders import ENCODINGS, open_decoder
from mfs_seg_core.events.dvs_messages import EventArray
from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.events.types import Events
from mfs_seg_core.util.serialization import nanoseconds
from mfs_seg_core.util.text import printable

PACKET_FIELDS = {'header', 'height', 'width', 'seq', 'time_base', 'encoding', 'events'}
ARRAY_FIELDS = {'header', 'height', 'width', 'events'}
EVENT_FIELDS = {'x', 'y', 'ts.sec', 'ts.nanosec', 'polarity'}
# First messages of a topic of which one must hold events.
MAX_SEARCHED = 1000
# Name of the format of events that need no decoder.
ARRAY = 'event_array'


def holds_events(channel: Channel) -> bool:
    """Return True if the messages of a channel are EventPackets or arrays of events."""
    if channel.kind not in KNOWN and 'events' not in channel.definition:
        return False
    for types in types_of(channel):
        fields = dict(types[channel.kind][1])
        if fields.keys() >= PACKET_FIELDS:
            return True
        if fields.keys() >= ARRAY_FIELDS:
            try:
                return {name for name, _ in leaves(types, fields['events'][1][0])} >= EVENT_FIELDS
            except (ValueError, TypeError, IndexError):
                pass
    return False


def read_events(channel: Channel, data: bytes) -> EventPacket | EventArray:
    """
    Read a message of events.

    :param channel: its channel.
    :param data: serialised bytes.
    :returns: the message; the events of an array are not checked against the sensor.
    :raises ValueError: if the message is cut or not of its type; one clause.
    """
    message = read_message(channel, data)
    try:
        stamp, fields = message.header.stamp, message.events
        stamp_ns, frame_id = nanoseconds(stamp.sec, stamp.nanosec), message.header.frame_id
        width, height = int(message.width), int(message.height)
        if isinstance(fields, memoryview):
            return EventPacket(stamp_ns, width, height, int(message.seq), int(message.time_base),
                               str(message.encoding), fields, frame_id)
        t = fields['ts.sec'].astype(np.int64) * 1_000_000 + fields['ts.nanosec'] // 1000
        x, y = (_pixels(fields[name]) for name in 'xy')
        return EventArray(stamp_ns, frame_id, width, height,
                          Events(t, x, y, fields['polarity'] > 0), 0)
    except (AttributeError, KeyError, TypeError):
        raise ValueError(f'the type {channel.kind} has not the fields of events') from None


def _pixels(values: np.ndarray) -> np.ndarray:
    """Return columns or rows as uint16; those that do not fit are outside every sensor."""
    if values.dtype == np.uint16:
        return values
    return np.where((values >= 0) & (values <= 0xffff), values, 0xffff).astype(np.uint16)


def choose_event_channel(bag: Bag, topic: str) -> Channel:
    """
    Return the channel of events to read.

    :param bag: the bag.
    :param topic: name of its topic; empty: the first by name whose messages hold events.
    :returns: the channel.
    :raises ValueError: if there is no such channel; one sentence.
    """
    candidates = sorted(filter(holds_events, bag.channels))
    if topic:
        named = [channel for channel in candidates if channel.topic == topic]
        if not named:
            raise ValueError(f"{bag.path} has no topic '{printable(topic)}' of events: it has "
                             f'{listed(candidates or bag.channels + bag.foreign)}{bag.excuse}')
        return named[0]
    if not candidates:
        raise ValueError(
            f'{bag.path} has no topic of events (event_camera_msgs/msg/EventPacket or an '
            f'EventArray): its topics are {listed(bag.channels + bag.foreign)}{bag.excuse}')
    return candidates[0] if len(candidates) == 1 else _with_events(bag, candidates)


def _with_events(bag: Bag, candidates: list[Channel]) -> Channel:
    """Return the first of some channels whose messages hold events, or the first of all."""
    return next((channel for channel in candidates if _begins_with_events(bag, channel)),
                candidates[0])


def _begins_with_events(bag: Bag, channel: Channel) -> bool:
    for _, _, data in islice(bag.messages([channel]), MAX_SEARCHED):
        try:
            message = read_events(channel, data)
        except ValueError:
            continue
        if isinstance(message, EventArray):
            if message.events.count:
                return True
        elif message.encoding not in ENCODINGS:
            return False
        elif len(message.payload):
            return True
    return False


class EventMessageDecoder:
    """
    Decodes the messages of one topic in the order of their recording, and counts faults.

    :param size: width and height of the sensor for arrays that declare none; None: an error.
    """

    def __init__(self, size: tuple[int, int] | None = None):
        self._size = size
        self._kind: tuple | None = None
        self._seq: int | None = None
        self._latest: int | None = None
        self._past: Counter[str] = Counter()
        #: Decoder of the last packet's encoding; None for arrays.
        self.decoder = None

    @property
    def faults(self) -> Counter[str]:
        """Return the number of faults by cause."""
        return self._past + Counter(self.decoder.faults if self.decoder else {})

    def decode(self, message: EventPacket | EventArray) -> Events:
        """
        Decode a message.

        :param message: the message.
        :returns: its events on the sensor, in the order of the message.
        :raises ValueError: if there is no decoder for its encoding, or the size is unusable.
        """
        return (self._array(message) if isinstance(message, EventArray) else
                self._packet(message))

    def size_of(self, message: EventPacket | EventArray) -> tuple[int, int]:
        """Return width and height of a message's sensor; raise ValueError if there is none."""
        size = message.width, message.height
        if isinstance(message, EventArray) and 0 in size:
            size = self._size or (0, 0)
        if not (0 < size[0] <= 0xffff and 0 < size[1] <= 0xffff):
            raise ValueError(f'its messages declare a sensor of {message.width}x{message.height} '
                             'pixels: give the size of the sensor')
        return size

    def _packet(self, packet: EventPacket) -> Events:
        kind = packet.encoding, *self.size_of(packet)
        if kind != self._kind:
            decoder = open_decoder(*kind)
            self._past, self._kind, self.decoder = self.faults, kind, decoder
        elif packet.seq != self._seq:
            self.decoder.report_gap()
            self._past['missing messages'] += max(packet.seq - self._seq, 1)
        self._seq = packet.seq + 1
        return self.decoder.decode_packet(packet.payload, packet.time_base_ns)

    def _array(self, array: EventArray) -> Events:
        width, height = self.size_of(array)
        events = array.events
        inside = (events.x < width) & (events.y < height)
        if outside := events.count - int(inside.sum()):
            self._past['outside the sensor'] += outside
            events = events.where(inside)
        if events.count:
            first = events.t[0] if self._latest is None else self._latest
            self._past['time went back'] += int((np.diff(events.t, prepend=first) < 0).sum())
            self._latest = events.t[-1]
        return events
