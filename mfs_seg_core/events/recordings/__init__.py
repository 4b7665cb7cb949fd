# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of event cameras, one file a format; `open_recording` finds out which it is."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mfs_seg_core.events.recordings.recording import Recording

KNOWN = 'RAW, DAT, AEDAT4, HDF5 as of DSEC, text (t x y p), and rosbag2'
# How files begin. What reads them is imported only where it is needed.
_STARTS = (
    (b'\x89MCAP0\r\n', 'bag'),
    (b'SQLite format 3\0', 'bag'),
    (b'\x89HDF\r\n\x1a\n', 'dsec'),
    (b'#!AER-DAT4', 'aedat4'),
    (b'%', 'prophesee'),
)
_BAG_SUFFIXES = ('.db3', '.mcap')


def open_recording(path: str | Path, topic: str = '',
                   size: tuple[int, int] | None = None) -> Recording:
    """
    Open a recording; iterating over it gives its events, see :class:`Recording`.

    :param path: a file, or the folder of a rosbag2.
    :param topic: of event packets in a rosbag2; empty: the first by name.
    :param size: width and height of the sensor, used where the recording does not tell them.
        Without it too: RAW 1280x720, or 640x480 and 320x320 for sensors and encodings that mean
        those; HDF5 640x480; DAT and text: up to the last column and row that an event is in.
    :raises ValueError: there is no such file, or it is none of those known, or it is damaged at
        its start, or what reads it is not installed.
    """
    path = Path(path).expanduser()
    try:
        name = _format(path)
    except OSError as error:
        raise ValueError(f'{path} cannot be read: {error.strerror}') from None
    module = import_module(f'mfs_seg_core.events.recordings.{name}')
    return module.open_file(path, topic, size)


def _format(path: Path) -> str:
    """Name the module that reads a file, by how it begins."""
    if path.is_dir() or path.suffix in _BAG_SUFFIXES:
        return 'bag'
    with path.open('rb') as file:
        start = file.read(1024)
    for begins, name in _STARTS:
        if start.startswith(begins):
            return name
    if start and all(octet in b'\t\n\r' or 32 <= octet < 127 for octet in start):
        return 'text'
    raise ValueError(f'{path} is no recording of a known format: give one of {KNOWN}')
