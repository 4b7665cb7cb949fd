# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""SQLite files of rosbag2 (db3), also damaged ones and those with an unfinished transaction."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from mfs_seg_core.bags.storage import BagDamage, Channel, StorageFile

MAGIC = b'SQLite format 3\0'
# Files of a transaction that was not finished, next to the database.
UNFINISHED = ('-wal', '-journal')
LANGUAGES = {'ros2msg': 'msg', 'ros2idl': 'idl'}


class SqliteFile(StorageFile):
    """
    A db3 file, which is never changed.

    An unfinished transaction is completed or withdrawn by SQLite in a copy.
    """

    REPAIR = ('sqlite3 {file} .recover | sqlite3 repaired.db3` and, in its folder, '
              '`ros2 bag reindex')

    def __init__(self, path: Path):
        super().__init__(path)
        self._folder: TemporaryDirectory | None = None
        self._database: sqlite3.Connection | None = None
        unfinished = [file for suffix in UNFINISHED
                      if (file := path.with_name(path.name + suffix)).exists()
                      and file.stat().st_size]
        mode = 'mode=ro&immutable=1'
        if unfinished:
            self._folder = TemporaryDirectory()
            for file in (path, *unfinished):
                shutil.copy(file, self._folder.name)
            path, mode = Path(self._folder.name, path.name), 'mode=rw'
        try:
            self._database = sqlite3.connect(f'file:{quote(str(path.absolute()))}?{mode}', uri=True,
                                             check_same_thread=False)
            # A cut file has fewer pages than its header declares; SQLite opens it nevertheless.
            self._database.execute('PRAGMA writable_schema=ON')
            self._read_channels()
        except (sqlite3.Error, BagDamage) as error:
            self.close()
            raise BagDamage(f'SQLite cannot read it, {error}') from None

    def _read_channels(self) -> None:
        """Read the topics and the definitions of their types."""
        definitions = {}
        tables = {name for name, in self._rows('SELECT name FROM sqlite_master')}
        if not {'topics', 'messages'} <= tables:
            self.close()
            raise ValueError('it is an SQLite database without the tables of a rosbag2')
        if 'message_definitions' in tables:
            definitions = {
                kind: (text, LANGUAGES[language]) for kind, language, text in self._rows(
                    'SELECT topic_type, encoding, encoded_message_definition '
                    'FROM message_definitions') if language in LANGUAGES}
        for number, topic, kind, serialization in self._rows(
                'SELECT id, name, type, serialization_format FROM topics'):
            self.channels[number] = Channel(
                str(topic), str(kind), str(serialization),
                *map(str, definitions.get(kind, ('', ''))))

    def _messages(self, numbers: frozenset[int]) -> Iterator[tuple[int, int, bytes]]:
        chosen = ','.join(map(str, sorted(numbers)))
        select = f'SELECT id, topic_id, timestamp, data FROM messages WHERE topic_id IN ({chosen})'
        place = 0
        try:
            for row in self._rows(f'{select} ORDER BY timestamp'):
                place = row[0]
                yield checked(*row[1:])
            return
        except sqlite3.Error as error:
            damage = error
        # The index by time may be damaged where the table is not: continue in the table's order.
        last, step = self._last(), 1
        while place <= last:
            try:
                for row in self._rows(f'{select} AND id > {place} ORDER BY id'):
                    place, step = row[0], 1
                    yield checked(*row[1:])
                break
            except sqlite3.Error:
                # Pass over the damaged rows, whose number is unknown.
                place, step = place + step, step * 2
        raise BagDamage(f'SQLite cannot read all of it, {damage}')

    def _last(self) -> int:
        """Return the number of the last row, or 0 if it cannot be read."""
        try:
            (last,), = self._rows('SELECT max(id) FROM messages')
        except sqlite3.Error:
            return 0
        return last or 0

    def _rows(self, query: str) -> Iterator[tuple]:
        yield from self._database.execute(query)

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
        if self._folder is not None:
            self._folder.cleanup()


def checked(number: object, time_ns: object, data: object) -> tuple[int, int, bytes]:
    """Return a row; raise BagDamage if its values are not of the types that rosbag2 writes."""
    if not (isinstance(time_ns, int) and isinstance(data, bytes)):
        raise BagDamage('a row of its messages has values of other types')
    return number, time_ns, data
