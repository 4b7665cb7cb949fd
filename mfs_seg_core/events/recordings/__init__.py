# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of event cameras, one file per format; ``open_recording`` detects the format."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mfs_seg_core.events.recordings.recording import Recording

KNOWN = 'RAW, DAT, AEDAT4, HDF5 as of DSEC, text (t x y p), and rosbag2'
# First bytes of files, and the module that reads them, which is imported on demand.
_STARTS = (
    (b'\x89MCAP0\r\n', 'bag'),
    (b'SQLite format 3\0', 'bag'),
    (b'\x89HDF\r\n\x1a\n', 'dsec'),
    (b'#!AER-DAT4', 'aedat4'),
    (b'%', 'prophesee'),
)
BAG_SUFFIXES = ('.db3', '.mcap')


def open_recording(path: str | Path, topic: str = '',
                   size: tuple[int, int] | None = None) -> Recording:
    """
    Open a recording, which iterates over its events in chunks.

    :param path: a file, or the folder of a rosbag2.
    :param topic: topic of event packets in a rosbag2; empty: the first by name.
    :param size: width and height of the sensor, for recordings that do not contain it. The default
        is 1280x720 for RAW (640x480 or 320x320 if the encoding or the plugin implies it), 640x480
        for HDF5, and the bounding box of the events for DAT and text.
    :returns: the :class:`~mfs_seg_core.events.recordings.recording.Recording`.
    :raises ValueError: if the file is missing, of no known format or damaged at its start, or the
        package that reads it is not installed.
    """
    path = Path(path).expanduser()
    try:
        name = _format(path)
    except OSError as error:
        raise ValueError(f'{path} cannot be read: {error.strerror}') from None
    module = import_module(f'mfs_seg_core.events.recordings.{name}')
    return module.open_file(path, topic, size)


def _format(path: Path) -> str:
    """Return the name of the module that reads a file, by its suffix or first bytes."""
    if path.is_dir() or path.suffix in BAG_SUFFIXES:
        return 'bag'
    with path.open('rb') as file:
        start = file.read(1024)
    for begins, name in _STARTS:
        if start.startswith(begins):
            return name
    if start and all(octet in b'\t\n\r' or 32 <= octet < 127 for octet in start):
        return 'text'
    raise ValueError(f'{path} is not a recording of a known format: give one of {KNOWN}')
