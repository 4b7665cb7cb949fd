# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
SQLite files of rosbag2 (db3), also damaged ones and those with an unfinished transaction.

The package apsw, which rosbags brings along, opens them: unlike the module sqlite3, it can be made
to fail where a cut file has no data; SQLite itself would read zeros there.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from mfs_seg_core.bags.storage import BagDamage, Channel, StorageFile
from mfs_seg_core.util.extras import missing

MAGIC = b'SQLite format 3\0'
# Files of a transaction that was not finished, next to the database.
UNFINISHED = ('-wal', '-journal')
LANGUAGES = {'ros2msg': 'msg', 'ros2idl': 'idl'}
# Name under which apsw registers the access to cut files.
CUT = 'mfs_seg_cut'


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
        self._database: Any = None
        try:
            self._database = self._opened()
            self._read_channels()
        except ValueError:
            self.close()
            raise
        # Errors of apsw, and of Python for values of unexpected types.
        except Exception as error:
            self.close()
            raise BagDamage(f'SQLite cannot read it, {error}') from None

    def _opened(self):
        """Return a connection to the file, or to a copy of it."""
        try:
            import apsw
        except ModuleNotFoundError:
            raise ValueError(f"db3 needs {missing('rosbags')}") from None
        path, mode = self.path.absolute(), 'mode=ro&immutable=1'
        unfinished = [file for suffix in UNFINISHED
                      if (file := path.with_name(path.name + suffix)).exists()
                      and file.stat().st_size]
        if unfinished:
            self._folder = TemporaryDirectory()
            for file in (path, *unfinished):
                shutil.copy(file, self._folder.name)
            path, mode = Path(self._folder.name, path.name), 'mode=rw'
        is_cut = declared_size(path) > path.stat().st_size
        if is_cut:
            access_to_cut_files()
        flags = apsw.SQLITE_OPEN_URI | (
            apsw.SQLITE_OPEN_READWRITE if unfinished else apsw.SQLITE_OPEN_READONLY)
        database = apsw.Connection(f'file:{quote(str(path))}?{mode}', flags=flags,
                                   vfs=CUT if is_cut else None)
        # Otherwise SQLite refuses files with fewer pages than their header declares.
        database.execute('PRAGMA writable_schema=ON')
        if is_cut:
            self.damage = (f'it has {path.stat().st_size} of the {declared_size(path)} bytes that '
                           'it declares')
        return database

    def _read_channels(self) -> None:
        """Read the topics and the definitions of their types."""
        tables = {name for name, in self._rows('SELECT name FROM sqlite_master')}
        if not {'topics', 'messages'} <= tables:
            raise ValueError('it is an SQLite database without the tables of a rosbag2')
        definitions, profiles = self._definitions(), self._qos()
        for number, topic, kind, serialization in self._rows(
                'SELECT id, name, type, serialization_format FROM topics'):
            self.channels[number] = Channel(str(topic), str(kind), str(serialization),
                                            *definitions.get(kind, ('', '')),
                                            profiles.get(number, ''))

    def _qos(self) -> dict[int, str]:
        """Return the QoS profiles by number of the channel; early versions write none."""
        try:
            return {number: str(text) for number, text in self._rows(
                'SELECT id, offered_qos_profiles FROM topics')}
        # As in __init__().
        except Exception:
            return {}

    def _definitions(self) -> dict[str, tuple[str, str]]:
        """Return definition and language by type; ROS 2 Humble and before write none."""
        try:
            return {kind: (str(text), LANGUAGES[language]) for kind, language, text in self._rows(
                'SELECT topic_type, encoding, encoded_message_definition '
                'FROM message_definitions') if language in LANGUAGES}
        # As in __init__(). Without its definition, a known type is read nevertheless.
        except Exception:
            return {}

    def _messages(self, numbers: frozenset[int]) -> Iterator[tuple[int, int, bytes]]:
        chosen = ','.join(map(str, sorted(numbers)))
        select = f'SELECT id, topic_id, timestamp, data FROM messages WHERE topic_id IN ({chosen})'
        rows = self._guarded(f'{select} ORDER BY timestamp')
        place = 0
        for row in rows:
            if row is None:
                break
            place = row[0]
            yield row[1:]
        else:
            return
        # The index by time may be damaged where the table is not: continue in the table's order.
        last, step = self._last(), 1
        while place <= last:
            for row in self._guarded(f'{select} AND id > {place} ORDER BY id'):
                if row is None:
                    # Pass over the damaged rows, whose number is unknown.
                    place, step = place + step, step * 2
                    break
                place, step = row[0], 1
                yield row[1:]
            else:
                break
        raise BagDamage(self._error)

    def _guarded(self, query: str) -> Iterator[tuple[int, int, int, bytes] | None]:
        """Yield rows of messages, and None in place of those after the first damage."""
        try:
            for row in self._rows(query):
                if not all(map(isinstance, row, (int, int, int, bytes))):
                    raise ValueError('a row of its messages has values of other types')
                yield row
        # As in __init__().
        except Exception as error:
            self._error = f'SQLite cannot read all of it, {error}'
            yield None

    def _last(self) -> int:
        """Return the number of the last row, or 0 if it cannot be read."""
        try:
            (last,), = self._rows('SELECT max(id) FROM messages')
        # As in __init__().
        except Exception:
            return 0
        return last if isinstance(last, int) else 0

    def _rows(self, query: str) -> Iterator[tuple]:
        yield from self._database.execute(query)

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close(True)
        if self._folder is not None:
            self._folder.cleanup()


def declared_size(path: Path) -> int:
    """Return the bytes that the header of a database declares; 0 if it has no valid header."""
    with path.open('rb') as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(MAGIC):
        return 0
    page, = struct.unpack_from('>H', header, 16)
    changes, pages = struct.unpack_from('>II', header, 24)
    valid_for, = struct.unpack_from('>I', header, 92)
    # Other programs than SQLite may have changed the file without its count of pages.
    return pages * (65536 if page == 1 else page) if changes == valid_for else 0


@cache
def access_to_cut_files():
    """Register an access to files with apsw that fails beyond their end; the cache keeps it."""
    import apsw

    class CutFile(apsw.VFSFile):
        """File of which a page beyond its end cannot be read."""

        def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
            """Read bytes, all of them or none."""
            data = super().xRead(amount, offset)
            if len(data) < amount:
                raise apsw.IOError('it is cut')
            return data

    class CutAccess(apsw.VFS):
        """Access to files that opens them as CutFile."""

        def xOpen(self, name: Any, flags: list[int]) -> CutFile:  # noqa: N802
            """Open a file."""
            return CutFile('', name, flags)

    return CutAccess(CUT, '')
