# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Structure of AEDAT 4 files: header, streams and packets.

The line ``#!AER-DAT4.0`` is followed by the length of the header (32 bits, little endian) and the
header, a FlatBuffer with compression, place of the table of packets, and the streams in XML. A
packet has the number of its stream and its length (32 bits each), then a FlatBuffer behind its own
length, compressed by LZ4 or Zstandard. Recorders that were stopped leave out the table of packets.

Source: iniVation, "AEDAT 4.0".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from mfs_seg_core.bags.storage import zstd
from mfs_seg_core.events.recordings.flatbuffer import FlatTable
from mfs_seg_core.util.extras import missing

_LINE = b'#!AER-DAT4.0\r\n'
# Longest header, and longest packet when unpacked.
LONGEST_HEADER, LONGEST_PACKET = 1 << 24, 1 << 28
NONE, LZ4, LZ4_HIGH, ZSTD, ZSTD_HIGH = range(5)


class Aedat4Stream(NamedTuple):
    """
    A stream of one kind of data of a camera.

    :param kind: 'EVTS', 'FRME', 'TRIG', 'IMUS' or another identifier.
    :param width: columns of the sensor; 0: not stated.
    :param height: rows of the sensor.
    """

    kind: str
    width: int
    height: int


class Aedat4File:
    """
    An AEDAT 4 file, whose header is read.

    :param path: the file.
    :raises ValueError: if the header is damaged, or the package for its compression is missing.
    """

    def __init__(self, path: Path):
        self.path = path
        with path.open('rb') as file:
            line, length = file.read(len(_LINE)), file.read(4)
            size = int.from_bytes(length, 'little')
            data = file.read(min(size, LONGEST_HEADER)) if len(length) == 4 else b''
            self._start = file.tell()
        try:
            # The buffer begins with its own length, which is that before it.
            header = FlatTable(data)
            compression, self._end = header.number(0, 'i'), header.number(1, 'q', -1)
            text = header.array(2, np.dtype(np.uint8)).tobytes().decode('utf-8', 'replace')
            self.streams = _streams(ElementTree.fromstring(text))
        except (ValueError, ElementTree.ParseError):
            raise ValueError(f'{path} cannot be read as AEDAT 4, its header is damaged: fetch it '
                             'again') from None
        if line != _LINE or not NONE <= compression <= ZSTD_HIGH:
            raise ValueError(f'{path} cannot be read as AEDAT 4, its version or compression '
                             f'{compression} is unknown: convert it to AEDAT 4.0 with DV')
        self._unpack = _unpacker(path, compression)

    def packets(self) -> Iterator[tuple[int, Callable[[], FlatTable]]]:
        """
        Yield the packets in their order.

        :yields: number of the stream, and a function that unpacks the packet, or raises ValueError
            if it is damaged.
        :raises EOFError: if the file ends within a packet, or the length of one is damaged.
        """
        with self.path.open('rb') as file:
            place = file.seek(self._start)
            while place < self._end or self._end < self._start:
                head = file.read(8)
                if not head and self._end < self._start:
                    return
                number, size = struct.unpack('<ii', head) if len(head) == 8 else (-1, -1)
                if number not in self.streams or not 0 <= size <= LONGEST_PACKET:
                    raise EOFError
                data = file.read(size)
                if len(data) < size:
                    raise EOFError
                place += 8 + size
                yield number, lambda data=data: FlatTable(self._unpack(data)[4:])


def _streams(info: ElementTree.Element) -> dict[int, Aedat4Stream]:
    """Return the streams in the description of a file, by number."""
    streams = {}
    for node in info.iterfind('./node[@name="outInfo"]/node'):
        attributes = {item.get('key'): item.text or '' for item in node.iterfind('./attr')}
        size = {item.get('key'): item.text or '' for item in node.iterfind(
            './node[@name="info"]/attr')}
        streams[int(node.get('name', ''))] = Aedat4Stream(
            attributes.get('typeIdentifier', ''), int(size.get('sizeX') or 0),
            int(size.get('sizeY') or 0))
    return streams


def _unpacker(path: Path, compression: int) -> Callable[[bytes], bytes]:
    """Return the function that unpacks a packet; it raises ValueError if that is damaged."""
    if compression == NONE:
        return bytes
    try:
        if compression in (LZ4, LZ4_HIGH):
            from lz4.frame import LZ4FrameDecompressor as Unpacker
        else:
            Unpacker = zstd().ZstdDecompressor
    except ModuleNotFoundError:
        raise ValueError(f"{path} is compressed by lz4, which needs {missing('rosbags')}") from None
    except ValueError as error:
        raise ValueError(f'{path} cannot be read, {error}') from None

    def unpack(data: bytes) -> bytes:
        unpacker = Unpacker()
        try:
            unpacked = unpacker.decompress(data, LONGEST_PACKET)
        # Both packages have errors of their own.
        except Exception as error:
            raise ValueError('a packet is damaged') from error
        if not unpacker.eof:
            raise ValueError('a packet is cut')
        return unpacked
    return unpack
