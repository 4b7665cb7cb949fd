# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images of a folder with their labels and times, and looking them up by a name in a text file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mfs_seg_core.data.folder.path_pairs import PathPair


@dataclass(frozen=True)
class FolderFrame:
    """
    An image with its label and time.

    :param pair: paths and name.
    :param recording: name of the recording that it belongs to.
    :param stamp_ns: time in nanoseconds; None: the images have no order.
    """

    pair: PathPair
    recording: str = ''
    stamp_ns: int | None = None


class PairsByName:
    """
    Images by the names that lists may use: path below the root, file name, and name of the pair.

    A name may lack its suffix.
    """

    def __init__(self, pairs: Iterable[PathPair], root: Path):
        self._pairs: dict[str, PathPair | None] = {}
        for pair in pairs:
            path = pair.image.relative_to(root) if pair.image.is_relative_to(root) else pair.image
            names = {path.as_posix(), path.with_suffix('').as_posix(), path.name, path.stem,
                     pair.name}
            for name in names:
                # None: two images have this name.
                self._pairs[name] = None if name in self._pairs else pair

    def find(self, name: str, where: str) -> PathPair:
        """
        Return the image that a line means.

        :param name: the name in the line.
        :param where: file and line, for messages.
        :returns: the image.
        :raises ValueError: no image or several have this name; one sentence.
        """
        pair = self._pairs.get(name.removeprefix('./'))
        if pair is None:
            problem = ('several images have this name: write their paths below the root'
                       if name in self._pairs else 'no image has this name: write its path below '
                       'the root, or correct the pattern of the images')
            raise ValueError(f'{where}: {name!r}: {problem}')
        return pair
