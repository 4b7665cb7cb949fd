# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of event cameras, one file per format; ``open_recording`` detects the format."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from mfs_seg_core.events.recordings.formats import recognise

if TYPE_CHECKING:
    from mfs_seg_core.events.recordings.recording import Recording

__all__ = ['open_recording', 'recognise']


def open_recording(path: str | Path, topic: str = '', size: tuple[int, int] | None = None, *,
                   columns: str = '', unit: str = '') -> Recording:
    """
    Open a recording, which iterates over its events in chunks.

    The content of the file decides the format, not its name; ``mfs-seg events --formats`` prints
    the formats.

    :param path: a file, or the folder of a bag.
    :param topic: topic of events in a bag, or name of the events in an HDF5 file; empty: the first
        by name, of two cameras the left one.
    :param size: width and height of the sensor, for recordings that do not state it. Without it,
        ``size_origin`` of the recording names the source of the size.
    :param columns: order of the columns of a text file or an array, for example 'x,y,p,t'; columns
        with other names are ignored. Empty: the order is determined from names and values.
    :param unit: unit of the times in a text file, an array or HDF5: 's', 'ms', 'us' or 'ns'.
        Empty: the unit is determined from names and values.
    :returns: the :class:`~mfs_seg_core.events.recordings.recording.Recording`.
    :raises ValueError: if the file is missing, of no known format or damaged at its start, its
        columns or its unit remain in doubt, or the package that reads it is not installed.
    """
    path = Path(path).expanduser()
    try:
        found = recognise(path)
        module = import_module(f'mfs_seg_core.events.recordings.{found.module}')
        if found.is_table:
            return module.open_file(path, topic, size, columns, unit)
        if columns or unit:
            raise ValueError(f'{path} is {found.name}, whose columns and unit are fixed: leave out '
                             'columns and unit')
        return module.open_file(path, topic, size)
    except OSError as error:
        raise ValueError(f'{path} cannot be read: {error.strerror or error}') from None
