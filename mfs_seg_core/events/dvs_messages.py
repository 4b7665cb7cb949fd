# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Arrays of events from their serialised bytes: one Python object an event would take too long.

dvs_msgs/msg/EventArray and prophesee_event_msgs/msg/EventArray have the same fields. In CDR,
numbers lie at multiples of their own size, so that an event takes 16 bytes, 13 of them used::

    bytes from the first event on    x          y        seconds  nanoseconds  polarity
    first event                      0          2        4        8            12
    event i > 0                      16 i - 2   16 i     16 i + 4 16 i + 8     16 i + 12
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mfs_seg_core.events.packet import CdrReader
from mfs_seg_core.events.types import Events

ARRAY_TYPES = ('dvs_msgs/msg/EventArray', 'prophesee_event_msgs/msg/EventArray')
_STRIDE, _UNUSED = 16, 3


class EventArray(NamedTuple):
    """
    One message of a driver.

    :param stamp_ns: of the header, nanoseconds.
    :param frame_id: of the header.
    :param width: columns of the sensor.
    :param height: rows of the sensor.
    :param events: those on the sensor, in the order of the message; t in microseconds since 1970,
        or what the driver counts from.
    :param outside: how many events were left out, because they are outside the sensor.
    """

    stamp_ns: int
    frame_id: str
    width: int
    height: int
    events: Events
    outside: int


def read_event_array(message: bytes) -> EventArray:
    """
    Take an EventArray apart.

    :param message: its serialised bytes.
    :raises ValueError: the message is cut short, or is none in CDR.
    """
    cdr = CdrReader(message)
    stamp_ns, frame_id = cdr.header()
    height, width = cdr.number('I'), cdr.number('I')
    count = cdr.number('I')
    data = cdr.octets(max(count * _STRIDE - _UNUSED, 0))

    def field(code: str, first: int, start: int = 0) -> np.ndarray:
        """View a field of the events from number ``start`` on; ``first``: its place in event 0."""
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
