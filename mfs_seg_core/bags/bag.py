# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag: the channels and messages of one or several files."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from mfs_seg_core.bags.files import bag_files, open_storage
from mfs_seg_core.bags.storage import ZSTD, BagDamage, Channel, StorageFile, decompressed
from mfs_seg_core.util.text import first_of, printable

SERIALIZATIONS = ('cdr', 'ros1')


class BagMessage(NamedTuple):
    """
    A message of a bag.

    :param channel: its channel.
    :param time_ns: time of its recording in nanoseconds.
    :param data: its serialised bytes.
    """

    channel: Channel
    time_ns: int
    data: bytes


class Bag:
    """
    A bag of ROS 1 or ROS 2, open for reading; :meth:`messages` reads it from the start.

    What can be read of cut and damaged files is read; ``damage`` describes the rest.

    :param path: a file, or the folder of a bag.
    :raises ValueError: if nothing of it can be read; one sentence.
    """

    def __init__(self, path: Path):
        self.path = path
        self._folder: TemporaryDirectory | None = None
        self._files: list[tuple[Path, StorageFile]] = []
        self._damage: dict[Path, str] = {}
        paths = bag_files(path) if path.is_dir() else [path]
        if not paths:
            raise ValueError(f'{path} is a folder without a recording: give a file, or the folder '
                             'of a rosbag2')
        for file in paths:
            try:
                storage, damage = open_storage(file, self._space)
                if storage.damage and not storage.channels:
                    storage.close()
                    raise BagDamage(storage.damage)
                self._files.append((file, storage))
                self._damage[file] = self._sentence(file, storage, damage or storage.damage)
            except BagDamage as error:
                self._damage[file] = (f'{file} cannot be read, {printable(str(error))}: fetch or '
                                      'record it again')
            except ValueError as error:
                raise ValueError(f'{file} cannot be read, {error}') from None
            except OSError as error:
                raise ValueError(f'{file} cannot be read: {error.strerror}') from None
        if not self._files:
            raise ValueError(self.damage[0])
        channels = {(channel.topic, channel.kind): channel for _, storage in self._files
                    for channel in storage.channels.values()}
        #: Channels of ROS messages, by topic and type.
        self.channels = [channel for channel in channels.values()
                         if channel.serialization in SERIALIZATIONS]
        #: Channels of other kinds, such as JSON or Protobuf of Foxglove, which are not read.
        self.foreign = [channel for channel in channels.values()
                        if channel.serialization not in SERIALIZATIONS]

    @property
    def remarks(self) -> list[str]:
        """Return sentences about the bag as a whole, which are no damage."""
        found = []
        if self.path.is_dir() and not (self.path / 'metadata.yaml').exists():
            found.append(f'{self.path} has no metadata.yaml, which `ros2 bag reindex` writes: its '
                         'files are read in the order of their names')
        if self.foreign:
            names = sorted(f'{printable(channel.topic)} ({printable(channel.serialization)})'
                           for channel in self.foreign)
            found.append(f'{self.path} has channels that are not ROS messages, which are left '
                         f'out: {", ".join(names)}')
        return found

    @property
    def damage(self) -> list[str]:
        """Return a sentence for each file in which damage was found so far."""
        return [sentence for sentence in self._damage.values() if sentence]

    @property
    def excuse(self) -> str:
        """Return a clause on the damage, to follow an error that it may have caused; '' if none."""
        return f'; {self.damage[0]}' if self.damage else ''

    def messages(self, channels: Collection[Channel]) -> Iterator[BagMessage]:
        """
        Yield the messages of some channels in the order of their recording.

        :param channels: items of ``channels``.
        :yields: the messages that can be read.
        """
        chosen = {(channel.topic, channel.kind): channel for channel in channels}
        for file, storage in self._files:
            numbers = {number: chosen[channel.topic, channel.kind]
                       for number, channel in storage.channels.items()
                       if (channel.topic, channel.kind) in chosen}
            for number, time_ns, data in self._guarded(file, storage, numbers):
                channel = numbers[number]
                # A message may be compressed on its own; CDR begins with 0.
                if channel.serialization == 'cdr' and data[:len(ZSTD)] == ZSTD:
                    try:
                        data = decompressed(data, 'zstd')
                    except BagDamage:
                        # The message is reported where it is read.
                        data = b''
                yield BagMessage(channel, time_ns, data)
            self._damage[file] = self._damage[file] or self._sentence(file, storage, storage.damage)

    def _guarded(self, file: Path, storage: StorageFile, numbers: Collection[int]):
        try:
            yield from storage.messages(numbers)
        # A package that decompresses is missing.
        except ValueError as error:
            raise ValueError(f'{file} cannot be read, {error}') from None

    def close(self) -> None:
        """Close the files."""
        for _, storage in self._files:
            storage.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _space(self) -> Path:
        """Return a temporary folder."""
        self._folder = self._folder or TemporaryDirectory(prefix='bag_')
        return Path(self._folder.name)

    def _sentence(self, file: Path, storage: StorageFile, damage: str) -> str:
        repair = storage.REPAIR.format(file=shlex.quote(str(file)))
        return damage and (f'{file} is cut or damaged, {printable(damage)}: only its readable '
                           f'messages are used; repair it with `{repair}`')


def listed(channels: Collection[Channel], most: int = 10) -> str:
    """Return the first topics of channels with their types, for an error message."""
    topics = sorted(f'{printable(channel.topic)} ({printable(channel.kind or "no type")})'
                    for channel in channels)
    return first_of(topics, most) or 'none'
