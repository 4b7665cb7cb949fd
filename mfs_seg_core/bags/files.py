# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of a bag: those of a folder, their format by content, and compressed ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from mfs_seg_core.bags import mcap, rosbag1, sqlite
from mfs_seg_core.bags.storage import ZSTD, BagDamage, StorageFile, zstd
from mfs_seg_core.util.file_order import by_number
from mfs_seg_core.util.text import first_of

FORMATS = {mcap.MAGIC: mcap.McapFile, sqlite.MAGIC: sqlite.SqliteFile,
           rosbag1.MAGIC: rosbag1.Rosbag1File}
# Names of bags, whose content may be damaged or empty.
SUFFIXES = {'.mcap': mcap.McapFile, '.db3': sqlite.SqliteFile, '.bag': rosbag1.Rosbag1File,
            '.active': rosbag1.Rosbag1File}
PACKED = '.zstd'
# First bytes by which a format is recognised.
START = 1 << 16
# Bytes that are decompressed at once.
BLOCK = 1 << 20


def is_bag(path: Path) -> bool:
    """Return True for a bag: a file by its content or its name, a folder by its files."""
    return bool(bag_files(path)) if path.is_dir() else storage_of(path) is not None


def storage_of(path: Path) -> type[StorageFile] | None:
    """Return the class that reads a file, which may be compressed; None: it is no bag."""
    with path.open('rb') as file:
        found = storage_by_content(file.read(START))
    return found or SUFFIXES.get(plain(path).suffix.lower())


def storage_by_content(start: bytes) -> type[StorageFile] | None:
    """Return the class that reads files with these first bytes; None: they are no bag."""
    if start.startswith(ZSTD):
        try:
            start = zstd().ZstdDecompressor().decompress(start, START)
        # The module is missing, or raises errors of its own.
        except Exception:
            return None
    return next((storage for magic, storage in FORMATS.items() if start.startswith(magic)), None)


def plain(path: Path) -> Path:
    """Return the name of a file without the suffix of its compression."""
    return path.with_suffix('') if path.suffix == PACKED else path


def unpack(path: Path, space: Callable[[], Path]) -> tuple[Path, str]:
    """
    Decompress a file into a folder, if it is compressed.

    :param path: the file.
    :param space: function that returns a folder for the decompressed file.
    :returns: the file to read, and a clause about damage that ended the decompression, or ''.
    """
    with path.open('rb') as file:
        if file.read(len(ZSTD)) != ZSTD:
            return path, ''
        file.seek(0)
        target = space() / plain(path).name
        with target.open('wb') as raw:
            decompressor, block = zstd().ZstdDecompressor(), b''
            while block := block or file.read(BLOCK):
                if decompressor.eof:
                    # A file may consist of several frames.
                    decompressor = zstd().ZstdDecompressor()
                try:
                    raw.write(decompressor.decompress(block))
                # Of other versions of the module, errors have other names.
                except OSError:
                    raise
                except Exception:
                    return target, 'its compressed data are damaged'
                block = decompressor.unused_data if decompressor.eof else b''
        return target, '' if decompressor.eof else 'its compressed data are cut'


def bag_files(folder: Path) -> list[Path]:
    """
    Return the files of the bag in a folder, in the order of their recording.

    rosbag2 splits a recording into files that are numbered at the end of their names. They are read
    whether metadata.yaml lists them or not: it is missing or outdated if the recorder was stopped.

    :param folder: the folder.
    :returns: the files; none if there is no bag.
    :raises ValueError: if there are several recordings, and metadata.yaml lists none of them.
    """
    found = sorted((path for path in folder.iterdir() if plain(path).suffix.lower() in SUFFIXES
                    and path.is_file() and not path.name.startswith('.')), key=by_number)
    # `ros2 bag play` leaves the decompressed file next to the compressed one.
    found = [path for path in found if plain(path) == path or plain(path) not in found]
    recordings: dict[tuple[str, str], list[Path]] = {}
    for path in found:
        stem, suffix = re.sub(r'_\d+$', '', plain(path).stem), plain(path).suffix
        recordings.setdefault((stem, suffix), []).append(path)
    if len(recordings) > 1:
        try:
            listed = (folder / 'metadata.yaml').read_text(errors='replace')
        except OSError:
            listed = ''
        recordings = {name: paths for name, paths in recordings.items()
                      if any(plain(path).name in listed for path in paths)}
        if not recordings:
            names = first_of([path.name for path in found], 5)
            raise ValueError(f'{folder} holds several recordings, {names}: give one of them')
    return sorted((path for paths in recordings.values() for path in paths), key=by_number)


def open_storage(path: Path, space: Callable[[], Path]) -> tuple[StorageFile, str]:
    """
    Open a file of a bag.

    :param path: the file.
    :param space: function that returns a folder for a decompressed copy.
    :returns: the open file, and a clause about damage of its compression, or ''.
    :raises BagDamage: if nothing of it can be read.
    :raises ValueError: if it is another kind of file.
    """
    storage = storage_of(path)
    if storage is None:
        raise ValueError('it is no bag: give a file of mcap, db3 or .bag (ROS 1)')
    file, damage = unpack(path, space)
    if not file.stat().st_size:
        raise BagDamage(damage or 'it is empty')
    try:
        return storage(file), damage
    except BagDamage as error:
        raise BagDamage(damage or str(error)) from None
