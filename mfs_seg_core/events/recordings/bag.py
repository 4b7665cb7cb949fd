# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Event packets of a rosbag2 (db3, mcap), read without ROS by the package rosbags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from mfs_seg_core.events.packet import PACKET_TYPES, EventPacket, read_packet
from mfs_seg_core.events.recordings import BAG_SUFFIXES
from mfs_seg_core.events.recordings.recording import Recording
from mfs_seg_core.events.types import Events

if TYPE_CHECKING:
    from rosbags.interfaces import Connection


def open_file(path: Path, topic: str, size: tuple[int, int] | None) -> Recording:
    """Open a bag."""
    return BagRecording(path, topic)


class BagRecording(Recording):
    """
    The packets of one topic, in the order in which they were recorded.

    :param path: the folder of the bag, or its only file.
    :param topic: topic of event packets; empty: the first by name.
    """

    def __init__(self, path: Path, topic: str):
        self.path = path
        with closing(self._opened()) as reader:
            self.topic = choose_event_topic(reader.connections, topic, path)
        first = next(self.packets(), None)
        if first is None:
            raise ValueError(f"{path} has no message of topic '{self.topic}': give another topic, "
                             'or a bag with events')
        super().__init__(path, first[1].encoding, (first[1].width, first[1].height))

    def packets(self) -> Iterator[tuple[int, EventPacket]]:
        """
        Yield the packets as they were recorded, from the start.

        :yields: time of recording in nanoseconds, and the packet.
        :raises ValueError: if the bag is damaged, or a message is not an EventPacket.
        """
        try:
            with closing(self._opened()) as reader:
                # A topic recorded from several publishers has several connections.
                chosen = [item for item in reader.connections if item.topic == self.topic]
                for _, log_ns, message in reader.messages(chosen):
                    yield log_ns, read_packet(message)
        # On damaged files the readers of db3, mcap and zstd raise errors of any kind.
        except Exception as error:
            raise ValueError(f'{self.path} cannot be read to its end, {_sentence(error)}: record '
                             'or fetch it again') from None

    def _chunks(self) -> Iterator[Events]:
        kind = decoder = seq = None
        for _, packet in self.packets():
            if kind != (packet.encoding, packet.width, packet.height):
                kind = packet.encoding, packet.width, packet.height
                decoder = self._new_decoder(packet.encoding, kind[1:])
            elif packet.seq != seq:
                decoder.report_gap()
                self._faults['missing messages'] += max(packet.seq - seq, 1)
            seq = packet.seq + 1
            yield self._decoded(decoder, decoder.decode_packet(packet.payload,
                                                               packet.time_base_ns))

    def _opened(self):
        """Open the bag, or its only file if the metadata are missing or wrong."""
        try:
            from rosbags.rosbag2 import Reader
        except ModuleNotFoundError:
            raise ValueError(f'{self.path} needs rosbags to be read: '
                             'pip install "mfs_seg_ros[events]"') from None
        files = [file for file in self.path.glob('*') if file.suffix in BAG_SUFFIXES]
        if self.path.is_dir() and not files and not (self.path / 'metadata.yaml').exists():
            raise ValueError(f'{self.path} is a folder without a recording: give a file, or the '
                             'folder of a rosbag2')
        paths = [self.path, *files] if len(files) == 1 else [self.path]
        for path in paths:
            try:
                reader = Reader(path)
                reader.open()
                return reader
            # As in packets().
            except Exception as error:
                if path == paths[-1]:
                    raise ValueError(
                        f'{self.path} cannot be read as a rosbag2, {_sentence(error)}: give a '
                        'folder with metadata.yaml, or a .db3 or .mcap file') from None


def choose_event_topic(connections: Iterable[Connection], topic: str, path: Path) -> str:
    """
    Return the topic of event packets to read.

    :param connections: connections of the bag.
    :param topic: name of the topic; empty: the first by name.
    :param path: the bag, for the error message.
    :returns: name of the topic.
    :raises ValueError: if there is no such topic.
    """
    candidates = sorted({item.topic for item in connections if item.msgtype in PACKET_TYPES})
    if topic and topic not in candidates:
        raise ValueError(f"{path} has no topic '{topic}' of event packets: it has "
                         f'{", ".join(candidates) or "none"}')
    if not candidates:
        topics = ', '.join(sorted({f'{item.topic} ({item.msgtype})' for item in connections}))
        raise ValueError(f'{path} has no topic of event packets ({PACKET_TYPES[0]}): its topics '
                         f'are {topics or "none"}')
    return topic or candidates[0]


def _sentence(error: Exception) -> str:
    """Return the text of an error, ready for the middle of a sentence."""
    return ' '.join(str(error).split()).rstrip('.') or type(error).__name__
