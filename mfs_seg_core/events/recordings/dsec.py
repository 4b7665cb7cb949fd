# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings in the HDF5 format of DSEC; see :mod:`mfs_seg_core.events.dsec_hdf5`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mfs_seg_core.events.dsec_hdf5 import EventFile
from mfs_seg_core.events.recordings.recording import CHUNK, ArrayRecording, Recording

SENSOR_SIZE = 640, 480


def open_file(path: Path, topic: str, size: tuple[int, int] | None) -> Recording:
    """Open an event file."""
    return DsecRecording(path, size)


class DsecRecording(ArrayRecording):
    """An event file of DSEC, read in chunks of events."""

    def __init__(self, path: Path, size: tuple[int, int] | None):
        self._file = EventFile(path)
        super().__init__(path, 'dsec', size or SENSOR_SIZE)

    def _arrays(self) -> Iterator[tuple[np.ndarray, ...]]:
        for first in range(0, self._file.count, CHUNK):
            yield self._file.read_range(first, min(first + CHUNK, self._file.count))
