# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events in bags of ROS 1 and ROS 2: EventPackets and arrays of events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mfs_seg_core.bags.bag import Bag
from mfs_seg_core.events.bag_messages import (
    ARRAY,
    EventMessageDecoder,
    choose_event_channel,
    read_events,
)
from mfs_seg_core.events.dvs_messages import EventArray
from mfs_seg_core.events.packet import EventPacket
from mfs_seg_core.events.recordings.recording import Recording
from mfs_seg_core.events.types import Events
from mfs_seg_core.util.text import printable


def open_file(path: Path, topic: str, size: tuple[int, int] | None) -> Recording:
    """Open a bag."""
    return BagRecording(path, topic, size)


class BagRecording(Recording):
    """
    The events of one topic, in the order in which their messages were recorded.

    :param path: a file, or the folder of a bag.
    :param topic: topic of the events; empty: the first by name whose messages hold events.
    :param size: width and height of the sensor for messages that declare none.
    """

    def __init__(self, path: Path, topic: str, size: tuple[int, int] | None = None):
        self.path, self._size = path, size
        self._bag = Bag(path)
        self._channel = choose_event_channel(self._bag, topic)
        self.topic = self._channel.topic
        self._begin()
        first = next((message for _, message in self.packets()), None)
        if first is None:
            raise ValueError(f"{path} has no readable message of topic '{printable(self.topic)}': "
                             f'give another topic, or a bag with events{self._bag.excuse}')
        encoding = ARRAY if isinstance(first, EventArray) else first.encoding
        try:
            super().__init__(path, encoding, EventMessageDecoder(size).size_of(first))
        except ValueError as error:
            raise self._error(error) from None

    def packets(self) -> Iterator[tuple[int, EventPacket | EventArray]]:
        """
        Yield the messages as they were recorded, from the start; those that are broken are counted.

        :yields: time of recording in nanoseconds, and the message.
        """
        for channel, log_ns, data in self._bag.messages([self._channel]):
            try:
                message = read_events(channel, data)
            except ValueError:
                self._faults['unreadable messages'] += 1
                continue
            yield log_ns, message

    def _chunks(self) -> Iterator[Events]:
        messages = EventMessageDecoder(self._size)
        self._decoders.append(messages)
        for _, message in self.packets():
            try:
                events = messages.decode(message)
            except ValueError as error:
                raise self._error(error) from None
            if messages.decoder is None:
                self.stamps, self.unit_ns = events.t, 1000
                yield events
            else:
                self.unit_ns = messages.decoder.UNIT_NS
                yield self._decoded(messages.decoder, events)
        self.notes += [*self._bag.remarks, *self._bag.damage]

    def _error(self, error: ValueError) -> ValueError:
        return ValueError(f"{self.path}, topic '{printable(self.topic)}': {error}")
