# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
MCAP files, with or without their summary.

A file is a sequence of records: one byte for the kind, eight for the length, and the content.
Source: the specification of MCAP, https://mcap.dev/spec.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

from mfs_seg_core.bags.storage import BagDamage, Channel, Chunk, ChunkedFile, Fields

MAGIC = b'\x89MCAP0\r\n'
(HEADER, FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, CHUNK_INDEX, STATISTICS, DATA_END) = (
    1, 2, 3, 4, 5, 6, 8, 0xb, 0xf)
# Kinds from 0x80 on are private, those between are none.
LAST_KIND, PRIVATE = 0xf, 0x80
# Bytes of a record before its content, and of a footer with the magic after it.
HEAD, FOOTER_SIZE = 9, 37
# Bytes of messages outside chunks that are read at once.
RUN = 1 << 22
# Languages of schemas that define ROS messages.
LANGUAGES = {'ros2msg': 'msg', 'ros1msg': 'msg', 'ros2idl': 'idl', 'omgidl': 'idl'}


class McapFile(ChunkedFile):
    """
    An MCAP file.

    The channels and chunks are those of the summary; where it is missing or wrong, the whole file
    is scanned for them.
    """

    REPAIR = 'mcap recover {file} -o repaired.mcap'

    def __init__(self, path: Path):
        super().__init__(path)
        self._schemas: dict[int, tuple[str, str, str]] = {}
        if self._octets(0, min(len(MAGIC), self._size)) != MAGIC:
            raise BagDamage('it does not begin as an MCAP file does')
        if not self._read_summary():
            self._schemas, self.channels, self._chunks = {}, {}, []
            try:
                self._scan()
            except BagDamage as error:
                self.damage = str(error)

    def _read_summary(self) -> bool:
        """Read channels and chunks from the summary; return False if it has not all of them."""
        if self._size < len(MAGIC) + FOOTER_SIZE:
            return False
        footer = Fields(self._octets(self._size - FOOTER_SIZE, FOOTER_SIZE))
        kind, size = footer.numbers('BQ')
        start, _, crc = footer.numbers('QQI')
        end = self._size - FOOTER_SIZE
        if (kind, size, bytes(footer.rest)) != (FOOTER, 20, MAGIC) or not 0 < start < end:
            return False
        # The checksum includes the footer up to itself.
        summary = self._octets(start, self._size - start - len(MAGIC) - 4)
        if crc and zlib.crc32(summary) != crc:
            return False
        declared = None
        try:
            for kind, content in records(memoryview(summary)[:end - start]):
                if kind == CHUNK_INDEX:
                    self._chunks.append(indexed_chunk(Fields(content)))
                elif kind == STATISTICS:
                    messages, _, _, _, _, chunks = Fields(content).numbers('QHIIII')
                    declared = messages, chunks
                else:
                    self._define(kind, content)
        except BagDamage:
            return False
        # Messages outside chunks are in no index.
        return (bool(self.channels) and bool(self._chunks)
                and (declared is None or declared[1] == len(self._chunks)))

    def _define(self, kind: int, content: memoryview) -> None:
        """Store a schema or a channel."""
        fields = Fields(content)
        if kind == SCHEMA:
            number, = fields.numbers('H')
            self._schemas[number] = fields.text(), fields.text(), fields.text()
        elif kind == CHANNEL:
            number, schema = fields.numbers('HH')
            name, language, text = self._schemas.get(schema, ('', '', ''))
            topic, serialization = fields.text(), fields.text()
            # DDS separates the parts of a name by colons; ROS 1 has no folder 'msg'.
            name = name.replace('::', '/')
            if '/msg/' not in name:
                name = name.replace('/', '/msg/', 1)
            self.channels[number] = Channel(topic, name, serialization,
                                            text if language in LANGUAGES else '',
                                            LANGUAGES.get(language, ''), _qos(fields))

    def _scan(self) -> None:
        """Find channels and chunks in the records of the whole file."""
        place, run, damage = len(MAGIC), None, None
        while place < self._size:
            kind, size = Fields(self._octets(place, min(HEAD, self._size - place))).numbers('BQ')
            if not 0 < kind <= LAST_KIND and kind < PRIVATE:
                raise BagDamage(f'there is no record at byte {place}')
            content, end = place + HEAD, place + HEAD + size
            if kind == MESSAGE and end <= self._size:
                run = self._longer(run, place, end)
            elif kind == CHUNK:
                try:
                    self._scan_chunk(content, size)
                except BagDamage as error:
                    damage = damage or error
                    if end > self._size:
                        raise BagDamage(f'it ends after {self._size} bytes, within a chunk'
                                        ) from None
            elif kind in (SCHEMA, CHANNEL):
                self._define(kind, self._octets(content, size))
            elif kind in (DATA_END, FOOTER):
                if damage is not None:
                    raise damage
                if self._octets(self._size - len(MAGIC), len(MAGIC)) != MAGIC:
                    raise BagDamage('its summary is cut')
                return
            elif end > self._size:
                self._octets(content, size)
            place = end
        raise BagDamage(f'it ends after {self._size} bytes without a summary: its recorder was '
                        'stopped, or a copy is incomplete')

    def _longer(self, run: Chunk | None, place: int, end: int) -> Chunk:
        """Append a message outside chunks to the last run of such messages, or begin a new one."""
        time_ns, = Fields(self._octets(place + HEAD + 6, 8)).numbers('Q')
        if run is None or run.offset + run.size != place or run.size > RUN:
            self._chunks.append(Chunk(time_ns, place, end - place))
        else:
            self._chunks[-1] = Chunk(min(run.start_ns, time_ns), run.offset, end - run.offset)
        return self._chunks[-1]

    def _scan_chunk(self, offset: int, size: int) -> None:
        """Store a chunk, and the channels that are defined in it."""
        head = Fields(self._octets(offset, min(size, self._size - offset, 1 << 10)))
        start_ns, _, raw_size, crc = head.numbers('QQQI')
        compression = head.text()
        packed_size, = head.numbers('Q')
        chunk = Chunk(start_ns, offset + head.place, packed_size, compression, raw_size, crc)
        found = set()
        try:
            for kind, content in records(self._unpacked(chunk)):
                if kind == MESSAGE:
                    found.update(Fields(content).numbers('H'))
                else:
                    self._define(kind, content)
        finally:
            # The messages before the damage are read later.
            if found:
                self._chunks.append(Chunk(start_ns, chunk.offset, packed_size, compression,
                                          raw_size, crc, frozenset(found)))

    def _messages_of(self, data: memoryview) -> Iterator[tuple[int, int, memoryview]]:
        for kind, content in records(data):
            if kind == MESSAGE:
                fields = Fields(content)
                number, _, time_ns, _ = fields.numbers('HIQQ')
                yield number, time_ns, fields.rest


def records(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield kind and content of records; raise BagDamage after the last whole one."""
    fields = Fields(data)
    while fields.place < len(data):
        kind, size = fields.numbers('BQ')
        yield kind, fields.octets(size)


def indexed_chunk(index: Fields) -> Chunk:
    """Return the chunk that an entry of the index describes."""
    start_ns, _, offset, length = index.numbers('QQQQ')
    numbers = Fields(index.block())
    found = frozenset(numbers.numbers('HQ')[0] for _ in range(len(numbers.data) // 10))
    index.numbers('Q')
    compression = index.text()
    packed_size, raw_size = index.numbers('QQ')
    # The data are the last field of a chunk.
    return Chunk(start_ns, offset + length - packed_size, packed_size, compression, raw_size,
                 numbers=found or None)


def _qos(fields: Fields) -> str:
    """Return the QoS profiles in the metadata of a channel, a map of strings; '' without them."""
    try:
        notes = Fields(fields.block())
        while len(notes.rest):
            name, value = notes.text(), notes.text()
            if name == 'offered_qos_profiles':
                return value
    except BagDamage:
        pass
    return ''
