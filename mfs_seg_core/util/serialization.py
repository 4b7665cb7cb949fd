# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sequential readers of serialised ROS messages: CDR of ROS 2, and the format of ROS 1."""

from __future__ import annotations

import struct

SECOND_NS = 1_000_000_000
# The first two bytes of CDR (DDS-XTypes 7.6.2): big or little endian; two bytes of options follow.
_BYTE_ORDERS = {b'\0\0': '>', b'\0\1': '<'}


class CdrReader:
    """
    Sequential reader of the numbers, strings and bytes of a message in CDR.

    :param message: serialised bytes; the reader keeps a view of them.
    :raises ValueError: if the header is not that of CDR.
    """

    #: True if numbers are aligned to their own size.
    ALIGNED = True

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
        if self.ALIGNED:
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
        stamp_ns = nanoseconds(self.number('i'), self.number('I'))
        return stamp_ns, self.text()


class Ros1Reader(CdrReader):
    """
    Sequential reader of a message of ROS 1: little endian, without alignment and without a header.

    :param message: serialised bytes; the reader keeps a view of them.
    """

    ALIGNED = False

    def __init__(self, message: bytes):
        self.data, self.order, self.place = memoryview(message).cast('B'), '<', 0


def nanoseconds(sec: int, nanosec: int) -> int:
    """Return a stamp in nanoseconds; raise ValueError if ``nanosec`` is a second or more."""
    if nanosec >= SECOND_NS:
        raise ValueError(f'the message has a stamp of {nanosec} ns within a second: '
                         f'send less than {SECOND_NS}')
    return sec * SECOND_NS + nanosec
