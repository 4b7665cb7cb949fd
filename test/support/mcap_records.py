# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MCAP files of recorders other than rosbag2, record by record (https://mcap.dev/spec)."""

from __future__ import annotations

import struct
import zlib

MAGIC = b'\x89MCAP0\r\n'
HEADER, FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, DATA_END = 1, 2, 3, 4, 5, 6, 15


def text(value: str | bytes) -> bytes:
    """Return a string, or bytes, after its length."""
    data = value.encode() if isinstance(value, str) else value
    return struct.pack('<I', len(data)) + data


def record(kind: int, content: bytes) -> bytes:
    """Return a record."""
    return struct.pack('<BQ', kind, len(content)) + content


def start(profile: str = 'ros2') -> bytes:
    """Return the start of a file."""
    return MAGIC + record(HEADER, text(profile) + text('test'))


def schema(number: int, name: str, encoding: str, data: str | bytes) -> bytes:
    """Return a schema."""
    return record(SCHEMA, struct.pack('<H', number) + text(name) + text(encoding) + text(data))


def channel(number: int, schema_number: int, topic: str, encoding: str = 'cdr') -> bytes:
    """Return a channel."""
    return record(CHANNEL, struct.pack('<HH', number, schema_number) + text(topic)
                  + text(encoding) + text(b''))


def message(number: int, time_ns: int, data: bytes) -> bytes:
    """Return a message."""
    return record(MESSAGE, struct.pack('<HIQQ', number, 0, time_ns, time_ns) + data)


def chunk(records: bytes, begin_ns: int, end_ns: int, crc: bool = False) -> bytes:
    """Return an uncompressed chunk, with or without a checksum."""
    checksum = zlib.crc32(records) if crc else 0
    return record(CHUNK, struct.pack('<QQQI', begin_ns, end_ns, len(records), checksum) + text('')
                  + struct.pack('<Q', len(records)) + records)


def end() -> bytes:
    """Return the end of a file without a summary."""
    return (record(DATA_END, bytes(4)) + record(FOOTER, bytes(20)) + MAGIC)
