# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MCAP files of recorders other than rosbag2, record by record (https://mcap.dev/spec)."""

from __future__ import annotations

import struct
import zlib

MAGIC = b'\x89MCAP0\r\n'
(HEADER, FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, CHUNK_INDEX, STATISTICS, DATA_END) = (
    1, 2, 3, 4, 5, 6, 8, 11, 15)


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


def summary(place: int, definitions: bytes, chunks: list[tuple[int, bytes]], count: int) -> bytes:
    """
    Return the end of a file with a summary and its checksum.

    :param place: offset of this end in the file.
    :param definitions: schemas and channels.
    :param chunks: offset and record of each chunk in the index.
    :param count: number of chunks in the statistics.
    :returns: the records after the chunks.
    """
    data_end = record(DATA_END, bytes(4))
    index = b''.join(
        record(CHUNK_INDEX, content[9:25] + struct.pack('<QQIQ', offset, len(content), 0, 0)
               + text('') + 2 * content[25:33]) for offset, content in chunks)
    statistics = record(STATISTICS, struct.pack('<QHIIIIQQI', 0, 1, 1, 0, 0, count, 0, 0, 0))
    checked = (definitions + index + statistics
               + struct.pack('<BQQQ', FOOTER, 20, place + len(data_end), 0))
    return data_end + checked + struct.pack('<I', zlib.crc32(checked)) + MAGIC
