# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
EventPackets from their serialised bytes, without ROS and without a copy of the payload.

event_camera_msgs/msg/EventPacket, and event_array_msgs/msg/EventArray, as it was called before: the
fields are the same.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

# The second is what the first was once called.
PACKET_TYPES = ('event_camera_msgs/msg/EventPacket', 'event_array_msgs/msg/EventArray')
SECOND_NS = 1_000_000_000
# The first bytes of CDR (DDS-XTypes 7.6.2): big or little endian; the next two are options.
_BYTE_ORDERS = {b'\0\0': '>', b'\0\1': '<'}


class EventPacket(NamedTuple):
    """
    One message of a driver.

    :param stamp_ns: of the header: host time at the first events, nanoseconds.
    :param width: columns of the sensor.
    :param height: rows of the sensor.
    :param seq: counts messages, so that lost ones are noticed.
    :param time_base_ns: what the payload counts time from, where its encoding does so.
    :param encoding: as :func:`~mfs_seg_core.events.decoders.open_decoder` knows them.
    :param payload: the encoded events.
    :param frame_id: of the header.
    """

    stamp_ns: int
    width: int
    height: int
    seq: int
    time_base_ns: int
    encoding: str
    payload: memoryview
    frame_id: str = ''


class CdrReader:
    """
    Reads numbers, strings and bytes of a message in CDR one after another.

    :raises ValueError: the message is of another kind, or ends too early.
    """

    def __init__(self, message: bytes):
        self.data = memoryview(message).cast('B')
        self.order = _BYTE_ORDERS.get(bytes(self.data[:2]))
        if self.order is None or len(self.data) < 4:
            raise ValueError(f'the message begins with {bytes(self.data[:4]).hex() or "nothing"}, '
                             'not with the header of CDR: send messages as ROS 2 serialises them')
        # Alignment counts from behind the header.
        self.data = self.data[4:]
        self.place = 0

    def number(self, code: str) -> int:
        """Read a number; ``code`` is that of the module struct."""
        size = struct.calcsize(code)
        self.place += -self.place % size
        return struct.unpack(self.order + code, self.octets(size))[0]

    def text(self) -> str:
        """Read a string."""
        return bytes(self.octets(self.number('I'))).rstrip(b'\0').decode(errors='replace')

    def octets(self, count: int) -> memoryview:
        """Read bytes."""
        octets = self.data[self.place:self.place + count]
        if len(octets) < count:
            raise ValueError(f'the message ends after {len(self.data)} bytes, within what it '
                             'announces: send whole messages of the type of this topic')
        self.place += count
        return octets

    def header(self) -> tuple[int, str]:
        """Read a std_msgs/Header: its stamp in nanoseconds and its frame_id."""
        sec, nanosec = self.number('i'), self.number('I')
        if nanosec >= SECOND_NS:
            raise ValueError(f'the message has a stamp of {nanosec} ns within a second: '
                             f'send less than {SECOND_NS}')
        return sec * SECOND_NS + nanosec, self.text()


def read_packet(message: bytes) -> EventPacket:
    """
    Take an EventPacket apart.

    :param message: its serialised bytes; the payload stays a view of them.
    :raises ValueError: the message is cut short, or is none in CDR.
    """
    cdr = CdrReader(message)
    stamp_ns, frame_id = cdr.header()
    height, width = cdr.number('I'), cdr.number('I')
    seq, time_base_ns = cdr.number('Q'), cdr.number('Q')
    encoding = cdr.text()
    # is_bigendian tells of the machine: all encodings that are known say their own byte order.
    cdr.octets(1)
    payload = cdr.octets(cdr.number('I'))
    return EventPacket(stamp_ns, width, height, seq, time_base_ns, encoding, payload, frame_id)
