# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Serialised event arrays of dvs_msgs and prophesee_event_msgs, written by the rules of CDR."""

import struct

from mfs_seg_core.events.types import Events

SIZE = 640, 480
STAMP_NS = 1_700_000_000_123_456_789


def serialise(events: Events, frame_id: str = 'camera', size=SIZE, order: str = '<') -> bytes:
    """Write a message, each number aligned to its own size, counted from behind the header."""
    body = bytearray()

    def put(code: str, *values: int):
        for value in values:
            body.extend(bytes(-len(body) % struct.calcsize(code)))
            body.extend(struct.pack(order + code, value))

    put('i', STAMP_NS // 10**9)
    put('I', STAMP_NS % 10**9, len(frame_id) + 1)
    body.extend(frame_id.encode() + b'\0')
    put('I', size[1], size[0], events.count)
    for t, x, y, p in zip(*(field.tolist() for field in events)):
        put('H', x, y)
        put('i', t // 10**6)
        # Drivers may send nanoseconds, which the reader truncates to microseconds.
        put('I', t % 10**6 * 1000 + 999)
        put('B', p)
    return (b'\0\1' if order == '<' else b'\0\0') + b'\0\0' + bytes(body)
