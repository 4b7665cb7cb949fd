# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Reader of serialised EventPackets, without ROS and without a copy of the payload.

The message is event_camera_msgs/msg/EventPacket. Its former name is
event_array_msgs/msg/EventArray, with the same fields.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

# The second is the former name of the first.
PACKET_TYPES = ('event_camera_msgs/msg/EventPacket', 'event_array_msgs/msg/EventArray')
SECOND_NS = 1_000_000_000
# The first two bytes of CDR (DDS-XTypes 7.6.2): big or little endian; two bytes of options follow.
_BYTE_ORDERS = {b'\0\0': '>', b'\0\1': '<'}


class EventPacket(NamedTuple):
    """
    One message of an event camera driver.

    :param stamp_ns: stamp of the header in nanoseconds: host time at the first events.
    :param width: columns of the sensor.
    :param height: rows of the sensor.
    :param seq: message counter; a step of more than 1 shows missing messages.
    :param time_base_ns: start of the time in the payload in nanoseconds; some encodings ignore it.
    :param encoding: one of :data:`mfs_seg_core.events.decoders.ENCODINGS`.
    :param payload: the encoded events.
    :param frame_id: frame_id of the header.
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
    Sequential reader of the numbers, strings and bytes of a message in CDR.

    :param message: serialised bytes; the reader keeps a view of them.
    :raises ValueError: if the header is not that of CDR.
    """

    def __init__(self, message: bytes):
        self.data = memoryview(message).cast('B')
        self.order = _BYTE_ORDERS.get(bytes(self.data[:2]))
        if self.order is None or len(self.data) < 4:
            raise ValueError(f'the message begins with {bytes(self.data[:4]).hex() or "nothing"}, '
                             'not with the header of CDR: send messages as ROS 2 serialises them')
        # Alignment counts from the end of the header.
        self.data = self.data[4:]
        self.place = 0

    def number(self, code: str) -> int:
        """Read a number; ``code`` is its format character in :mod:`struct`."""
        size = struct.calcsize(code)
        self.place += -self.place % size
        return struct.unpack(self.order + code, self.octets(size))[0]

    def text(self) -> str:
        """Read a string."""
        return bytes(self.octets(self.number('I'))).rstrip(b'\0').decode(errors='replace')

    def octets(self, count: int) -> memoryview:
        """Return a view of the next ``count`` bytes."""
        octets = self.data[self.place:self.place + count]
        if len(octets) < count:
            raise ValueError(f'the message ends after {len(self.data)} bytes, before its '
                             "declared end: send whole messages of the topic's type")
        self.place += count
        return octets

    def header(self) -> tuple[int, str]:
        """Read a std_msgs/Header; return its stamp in nanoseconds and its frame_id."""
        sec, nanosec = self.number('i'), self.number('I')
        if nanosec >= SECOND_NS:
            raise ValueError(f'the message has a stamp of {nanosec} ns within a second: '
                             f'send less than {SECOND_NS}')
        return sec * SECOND_NS + nanosec, self.text()


def read_packet(message: bytes) -> EventPacket:
    """
    Read an EventPacket.

    :param message: serialised bytes; the payload is a view of them.
    :returns: the fields of the message.
    :raises ValueError: if the message is truncated or not in CDR.
    """
    cdr = CdrReader(message)
    stamp_ns, frame_id = cdr.header()
    height, width = cdr.number('I'), cdr.number('I')
    seq, time_base_ns = cdr.number('Q'), cdr.number('Q')
    encoding = cdr.text()
    # is_bigendian describes the host; each known encoding defines its own byte order.
    cdr.octets(1)
    payload = cdr.octets(cdr.number('I'))
    return EventPacket(stamp_ns, width, height, seq, time_base_ns, encoding, payload, frame_id)
