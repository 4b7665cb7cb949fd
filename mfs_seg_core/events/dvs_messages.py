# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Reader of serialised event arrays, without one Python object per event.

dvs_msgs/msg/EventArray and prophesee_event_msgs/msg/EventArray have the same fields. CDR aligns
numbers to their own size, so an event takes 16 bytes, of which 13 are used::

    offset from the first event      x          y        seconds  nanoseconds  polarity
    first event                      0          2        4        8            12
    event i > 0                      16 i - 2   16 i     16 i + 4 16 i + 8     16 i + 12
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from mfs_seg_core.events.types import Events
from mfs_seg_core.util.serialization import CdrReader

_STRIDE, _UNUSED = 16, 3
# Value of ``EventPacket.encoding`` for events that need no decoding.
ARRAY_ENCODING = 'event_array'


class EventArray(NamedTuple):
    """
    One message of a DVS driver.

    :param stamp_ns: stamp of the header in nanoseconds.
    :param frame_id: frame_id of the header.
    :param width: columns of the sensor.
    :param height: rows of the sensor.
    :param events: events on the sensor, in the order of the message; t in microseconds since 1970
        or since another origin of the driver.
    :param outside: number of events outside the sensor, which are left out.
    """

    stamp_ns: int
    frame_id: str
    width: int
    height: int
    events: Events
    outside: int


def read_event_array(message: bytes) -> EventArray:
    """
    Read an EventArray.

    :param message: serialised bytes.
    :returns: the fields of the message, and its events as arrays.
    :raises ValueError: if the message is truncated or not in CDR.
    """
    cdr = CdrReader(message)
    stamp_ns, frame_id = cdr.header()
    height, width = cdr.number('I'), cdr.number('I')
    count = cdr.number('I')
    data = cdr.octets(max(count * _STRIDE - _UNUSED, 0))

    def field(code: str, first: int, start: int = 0) -> np.ndarray:
        """View a field, at offset ``first`` in event 0, of the events from index ``start`` on."""
        if count <= start:
            return np.empty(0, code)
        return np.ndarray(count - start, np.dtype(code).newbyteorder(cdr.order), data,
                          first + start * _STRIDE, _STRIDE)

    x, y = np.empty(count, np.uint16), np.empty(count, np.uint16)
    x[:1], y[:1] = field('u2', 0)[:1], field('u2', 2)[:1]
    x[1:], y[1:] = field('u2', -2, 1), field('u2', 0, 1)
    t = field('i4', 4).astype(np.int64) * 1_000_000
    t += field('u4', 8) // 1000
    events = Events(t, x, y, field('u1', 12) != 0)
    inside = (x < width) & (y < height)
    outside = count - int(inside.sum())
    return EventArray(stamp_ns, frame_id, width, height,
                      events.where(inside) if outside else events, outside)


class EventArrayDecoder:
    """Decoder of an EventArray, whose events are stored in plain form."""

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()

    def decode_packet(self, array: EventArray, _: int) -> Events:
        """Return the events of an array, and count those outside the sensor as faults."""
        self.faults['outside the sensor'] += array.outside
        return array.events

    def report_gap(self) -> None:
        """Do nothing: an array does not depend on earlier ones."""
