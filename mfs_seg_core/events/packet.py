# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Reader of serialised EventPackets, without ROS and without a copy of the payload.

The message is event_camera_msgs/msg/EventPacket. Its former name is
event_array_msgs/msg/EventArray, with the same fields.
"""

from __future__ import annotations

from typing import NamedTuple

from mfs_seg_core.util.serialization import CdrReader


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
