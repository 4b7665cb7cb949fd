# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
ROS 1 bags of format 2.0, with or without their index.

A record is a header of named fields, and data; both follow their length of four bytes.
Source: https://wiki.ros.org/Bags/Format/2.0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from mfs_seg_core.bags.storage import BagDamage, Channel, Chunk, ChunkedFile, Fields

MAGIC = b'#ROSBAG V'
VERSION = b'2.0\n'
MESSAGE, BAG_HEADER, INDEX, CHUNK, CHUNK_INFO, CONNECTION = 2, 3, 4, 5, 6, 7
# Longest header that is read; those of connections hold the name of a topic, no definition.
MAX_HEADER = 1 << 16


class Rosbag1File(ChunkedFile):
    """
    A ROS 1 bag.

    The channels and chunks are those of the index at its end; where it is missing or wrong, the
    whole file is scanned for them.
    """

    REPAIR = 'rosbag reindex {file}'

    def __init__(self, path: Path):
        super().__init__(path)
        start = self._octets(0, min(self._size, len(MAGIC + VERSION)))
        if not start.startswith(MAGIC):
            raise BagDamage('it does not begin as a ROS 1 bag does')
        if start != MAGIC + VERSION:
            raise ValueError('it is a ROS 1 bag of another format than 2.0: convert it with '
                             '`rosbag fix`')
        self._start, self._encryptor = len(start), b''
        indexed = self._read_index()
        if self._encryptor:
            raise ValueError('it is encrypted: decrypt it with `rosbag decrypt`')
        if not indexed:
            self.channels, self._chunks = {}, []
            try:
                self._scan()
            except BagDamage as error:
                self.damage = str(error)

    def _read_index(self) -> bool:
        """Read channels and chunks from the index; return False if it has not all of them."""
        try:
            header, _, _ = self._record(self._start)
            self._encryptor = header.get(b'encryptor', b'')
            place, = struct.unpack('<Q', header[b'index_pos'])
            connections, = struct.unpack('<I', header[b'conn_count'])
            chunks, = struct.unpack('<I', header[b'chunk_count'])
            if not place:
                return False
            while place < self._size:
                header, offset, size = self._record(place)
                kind = header[b'op'][0]
                if kind == CONNECTION:
                    self._define(header, self._octets(offset, size))
                elif kind == CHUNK_INFO:
                    self._chunks.append(self._indexed(header, Fields(self._octets(offset, size))))
                else:
                    return False
                place = offset + size
        except (KeyError, IndexError, struct.error, BagDamage):
            return False
        return len(self.channels) == connections and len(self._chunks) == chunks

    def _indexed(self, header: dict[bytes, bytes], counts: Fields) -> Chunk:
        """Return the chunk that an entry of the index describes."""
        chunk = self._chunk(struct.unpack('<Q', header[b'chunk_pos'])[0])
        numbers = {counts.numbers('II')[0] for _ in range(len(counts.data) // 8)}
        return Chunk(time_of(header[b'start_time']), chunk.offset, chunk.size, chunk.compression,
                     chunk.raw_size, numbers=frozenset(numbers))

    def _chunk(self, place: int) -> Chunk:
        """Return the chunk whose record begins here, without its time."""
        header, offset, size = self._record(place)
        if header[b'op'][0] != CHUNK:
            raise BagDamage(f'there is no chunk at byte {place}')
        raw_size, = struct.unpack('<I', header[b'size'])
        compression = header[b'compression'].decode(errors='replace')
        return Chunk(0, offset, size, '' if compression == 'none' else compression, raw_size)

    def _scan(self) -> None:
        """Find channels and chunks in the records of the whole file."""
        place = self._start
        while place < self._size:
            try:
                header, offset, size = self._record(place)
                kind = header[b'op'][0]
                if kind == CHUNK:
                    # The recorder writes the size of a chunk when the chunk is complete.
                    unfinished = Chunk(0, offset, self._size - offset)
                    self._scan_chunk(self._chunk(place) if size else unfinished)
                    if not size:
                        break
            except (KeyError, IndexError, struct.error):
                raise BagDamage(f'there is no record at byte {place}') from None
            place = offset + size
        raise BagDamage(f'it ends after {self._size} bytes without an index: its recorder was '
                        'stopped, or a copy is incomplete')

    def _scan_chunk(self, chunk: Chunk) -> None:
        """Store a chunk, its earliest time, and the channels that are defined in it."""
        times, numbers = [], set()
        try:
            for header, data in records(self._unpacked(chunk)):
                if header[b'op'][0] == CONNECTION:
                    self._define(header, data)
                elif header[b'op'][0] == MESSAGE:
                    numbers.update(struct.unpack('<I', header[b'conn']))
                    times.append(time_of(header[b'time']))
        finally:
            # The messages before the damage are read later.
            if times:
                self._chunks.append(Chunk(min(times), chunk.offset, chunk.size, chunk.compression,
                                          chunk.raw_size, numbers=frozenset(numbers)))

    def _define(self, header: dict[bytes, bytes], data: bytes | memoryview) -> None:
        """Store a connection as a channel."""
        more = fields_of(data)
        kind = more[b'type'].decode(errors='replace')
        self.channels[struct.unpack('<I', header[b'conn'])[0]] = Channel(
            header[b'topic'].decode(errors='replace'), kind.replace('/', '/msg/', 1), 'ros1',
            more[b'message_definition'].decode(errors='replace'))

    def _record(self, place: int) -> tuple[dict[bytes, bytes], int, int]:
        """Return the header of a record, and offset and size of its data."""
        size, = struct.unpack('<I', self._octets(place, 4))
        if size > MAX_HEADER:
            raise BagDamage(f'there is no record at byte {place}')
        header = fields_of(self._octets(place + 4, size))
        data, = struct.unpack('<I', self._octets(place + 4 + size, 4))
        return header, place + 8 + size, data

    def _messages_of(self, data: memoryview) -> Iterator[tuple[int, int, memoryview]]:
        try:
            for header, content in records(data):
                if header[b'op'][0] == MESSAGE:
                    number, = struct.unpack('<I', header[b'conn'])
                    yield number, time_of(header[b'time']), content
        except (KeyError, IndexError, struct.error):
            raise BagDamage('a record has not the fields of its kind') from None


def records(data: memoryview) -> Iterator[tuple[dict[bytes, bytes], memoryview]]:
    """Yield header and data of records; raise BagDamage after the last whole one."""
    fields = Fields(data)
    while fields.place < len(data):
        yield fields_of(fields.block()), fields.block()


def fields_of(header: bytes | memoryview) -> dict[bytes, bytes]:
    """Return the named fields of a header."""
    found, fields = {}, Fields(header)
    while fields.rest:
        name, _, value = bytes(fields.block()).partition(b'=')
        found[name] = value
    return found


def time_of(value: bytes) -> int:
    """Return a time of seconds and nanoseconds in nanoseconds."""
    seconds, nanoseconds = struct.unpack('<II', value)
    return seconds * 1_000_000_000 + nanoseconds
