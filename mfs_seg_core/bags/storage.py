# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Base classes of the files of a bag: channels, and messages in the order of their recording."""

from __future__ import annotations

import bz2
import heapq
import struct
import sys
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mfs_seg_core.util.extras import missing

# Recorders write chunks of a few megabytes. Larger ones are those of damaged files.
MAX_CHUNK = 1 << 29
# First bytes of data compressed by Zstandard.
ZSTD = b'\x28\xb5\x2f\xfd'


class Channel(NamedTuple):
    """
    Messages of one topic and type in a bag.

    :param topic: name of the topic.
    :param kind: message type, such as 'sensor_msgs/msg/Image'.
    :param serialization: 'cdr' (ROS 2) or 'ros1'; anything else is no ROS message.
    :param definition: text that defines the type; '': none.
    :param language: language of the definition, 'msg' or 'idl'.
    :param qos: profiles of its publishers as YAML; '': unknown.
    """

    topic: str
    kind: str
    serialization: str
    definition: str = ''
    language: str = 'msg'
    qos: str = ''


class BagDamage(ValueError):
    """A file of a bag is cut or damaged; the text is a clause without the name of the file."""


class StorageFile:
    """
    One file of a bag, open for reading.

    :param path: the file.
    """

    #: Command that repairs a file; ``{file}`` is its name.
    REPAIR = ''

    def __init__(self, path: Path):
        self.path = path
        #: Channels by the number that the file gives them.
        self.channels: dict[int, Channel] = {}
        #: Clause about the damage that was found so far, in the file's start and in iterations.
        self.damage = ''

    def messages(self, numbers: Collection[int]) -> Iterator[tuple[int, int, bytes]]:
        """
        Yield messages in the order of their recording, as far as they can be read.

        :param numbers: numbers of the channels to read.
        :yields: number of the channel, time of recording in nanoseconds, serialised bytes.
        """
        try:
            yield from self._messages(frozenset(numbers))
        except BagDamage as error:
            self.damage = self.damage or str(error)

    def close(self) -> None:
        """Close the file."""
        raise NotImplementedError

    def _messages(self, numbers: frozenset[int]) -> Iterator[tuple[int, int, bytes]]:
        """Yield the readable messages; then raise BagDamage if there was damage."""
        raise NotImplementedError


@dataclass(frozen=True)
class Chunk:
    """
    Part of a file with messages, which may be compressed.

    :param start_ns: time of its first message in nanoseconds.
    :param offset: place of its data in the file, in bytes.
    :param size: bytes of its data in the file.
    :param compression: 'zstd', 'lz4', 'bz2'; '': none.
    :param raw_size: bytes of its data after decompression; None: unknown.
    :param crc: CRC-32 of the decompressed data; 0: unknown.
    :param numbers: channels of its messages; None: unknown.
    """

    start_ns: int
    offset: int
    size: int
    compression: str = ''
    raw_size: int | None = None
    crc: int = 0
    numbers: frozenset[int] | None = None


class ChunkedFile(StorageFile):
    """
    File of chunks of messages, which may overlap in time.

    :param path: the file.
    """

    def __init__(self, path: Path):
        super().__init__(path)
        self._file: BinaryIO = path.open('rb')
        self._size = path.stat().st_size
        self._chunks: list[Chunk] = []

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _messages(self, numbers: frozenset[int]) -> Iterator[tuple[int, int, bytes]]:
        waiting: list[tuple[int, int, int, memoryview]] = []
        order = count()
        damage = None
        for chunk in sorted(self._chunks, key=lambda chunk: chunk.start_ns):
            if chunk.numbers is not None and not chunk.numbers & numbers:
                continue
            while waiting and waiting[0][0] < chunk.start_ns:
                time_ns, _, number, data = heapq.heappop(waiting)
                yield number, time_ns, data
            try:
                for number, time_ns, data in self._messages_of(self._unpacked(chunk)):
                    if number in numbers:
                        heapq.heappush(waiting, (time_ns, next(order), number, data))
            except BagDamage as error:
                damage = damage or error
        while waiting:
            time_ns, _, number, data = heapq.heappop(waiting)
            yield number, time_ns, data
        if damage is not None:
            raise damage

    def _messages_of(self, data: memoryview) -> Iterator[tuple[int, int, memoryview]]:
        """Yield channel, time in nanoseconds and bytes of the messages in a chunk's data."""
        raise NotImplementedError

    def _octets(self, offset: int, size: int) -> bytes:
        """Read bytes of the file."""
        if not 0 <= offset <= offset + size <= self._size:
            raise BagDamage(f'it ends after {self._size} bytes, before the declared end of its '
                            f'record at byte {offset}')
        try:
            self._file.seek(offset)
            return self._file.read(size)
        except OSError as error:
            raise BagDamage(f'byte {offset} cannot be read: {error.strerror}') from None

    def _unpacked(self, chunk: Chunk) -> memoryview:
        """Return the decompressed data of a chunk, as many as there are if the file is cut."""
        data = self._octets(chunk.offset, min(chunk.size, max(self._size - chunk.offset, 0)))
        raw = decompressed(data, chunk.compression, chunk.raw_size)
        # Of a cut chunk, the records that are whole are read.
        if len(data) == chunk.size:
            if chunk.raw_size not in (None, len(raw)):
                raise BagDamage(f'the chunk at byte {chunk.offset} has {len(raw)} bytes, not the '
                                f'{chunk.raw_size} that it declares')
            if chunk.crc and zlib.crc32(raw) != chunk.crc:
                raise BagDamage(f'the checksum of the chunk at byte {chunk.offset} is wrong')
        return memoryview(raw)


def decompressed(data: bytes, compression: str, size: int | None = None) -> bytes:
    """
    Decompress data, which may be cut.

    :param data: compressed bytes.
    :param compression: 'zstd', 'lz4', 'bz2'; '' or 'none': none.
    :param size: most bytes to return; None: no limit but that of chunks.
    :returns: the bytes that could be decompressed.
    :raises BagDamage: if the data are damaged or the compression is unknown.
    """
    if compression in ('', 'none'):
        return data
    limit = MAX_CHUNK if size is None else size
    if limit > MAX_CHUNK:
        raise BagDamage(f'it declares a chunk of {limit} bytes')
    if compression not in ('zstd', 'lz4', 'bz2'):
        raise BagDamage(f"a chunk is compressed by an unknown method, '{compression[:20]}'")
    if not limit:
        return b''
    decompressor = _decompressor(compression)
    try:
        return decompressor.decompress(data, limit)
    # Each library raises errors of its own.
    except Exception:
        raise BagDamage(f'data compressed by {compression} are damaged') from None


def _decompressor(compression: str):
    """Return a decompressor of 'lz4', 'bz2' or 'zstd'."""
    if compression == 'bz2':
        return bz2.BZ2Decompressor()
    if compression == 'zstd':
        return zstd().ZstdDecompressor()
    try:
        from lz4.frame import LZ4FrameDecompressor
    except ModuleNotFoundError:
        raise ValueError(f"it is compressed by lz4, which needs {missing('rosbags')}") from None
    return LZ4FrameDecompressor()


def zstd():
    """Return the module of Zstandard, which rosbags brings along."""
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd as module
        else:
            from backports import zstd as module
    except ModuleNotFoundError:
        raise ValueError(f"it is compressed by zstd, which needs {missing('rosbags')}") from None
    return module


class Fields:
    """
    Sequential reader of the little-endian numbers and strings of a record.

    :param data: bytes of the record.
    """

    def __init__(self, data: bytes | memoryview):
        self.data, self.place = memoryview(data), 0

    def numbers(self, code: str) -> tuple[int, ...]:
        """Read numbers; ``code`` is their format in :mod:`struct`."""
        return struct.unpack('<' + code, self.octets(struct.calcsize('<' + code)))

    def octets(self, size: int) -> memoryview:
        """Read bytes."""
        octets = self.data[self.place:self.place + size]
        if len(octets) < size:
            raise BagDamage('a record is shorter than its fields')
        self.place += size
        return octets

    def block(self) -> memoryview:
        """Read bytes after their count."""
        return self.octets(*self.numbers('I'))

    def text(self) -> str:
        """Read a string after its length."""
        return bytes(self.block()).decode(errors='replace')

    @property
    def rest(self) -> memoryview:
        """Return the bytes that were not read."""
        return self.data[self.place:]
