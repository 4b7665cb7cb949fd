# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Splits of a folder: by lists, by patterns of names, or by share."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import groupby
from pathlib import Path

from mfs_seg_core.data.folder.frame import FolderFrame, PairsByName

ALL = 'all'
SHARED = ('train', 'val')


def check_split(split: float | dict | None) -> None:
    """
    Check the setting of the splits.

    :param split: share of 'val', or the parts by name: a path of a list, or patterns of names.
    :raises ValueError: the share or a part is wrong; one sentence.
    """
    if isinstance(split, float) and not 0 < split < 1:
        raise ValueError(f'split is {split}: write the share of the frames to validate on, between '
                         '0 and 1')
    if isinstance(split, dict):
        for name, part in split.items():
            valid = isinstance(part, str) or (isinstance(part, list) and part and all(
                isinstance(each, str) for each in part))
            if not valid or not isinstance(name, str):
                raise ValueError(f'split: {name!r} is {part!r}: write the path of a list, or '
                                 'patterns of names in brackets')


def split_names(split: float | dict | None) -> tuple[str, ...]:
    """Return the names of the parts that a setting makes; empty: it makes none."""
    return SHARED if isinstance(split, float) else tuple(split or ())


def part_of(frames: list[FolderFrame], split: float | dict | None, part: str, root: Path
            ) -> list[FolderFrame]:
    """
    Return the frames of one part.

    :param frames: all frames, by recording and in temporal order.
    :param split: setting of the splits, checked.
    :param part: name of the part; 'all': all frames.
    :param root: folder of the data.
    :returns: the frames of the part, in the same order.
    :raises ValueError: there is no such part, it is empty, or its list cannot be read; one
        sentence.
    """
    if part in split_names(split):
        chosen = (_shared(frames, split, part) if isinstance(split, float)
                  else _named(frames, split[part], root))
    elif part == ALL:
        chosen = frames
    else:
        names = split_names(split)
        raise ValueError(
            f'the data has no split {part!r}: '
            + (f'choose from {", ".join((*names, ALL))}' if names else
               'add a setting split, for example "split: 0.2" to validate on a fifth of the '
               "frames, or write '{split}' in the patterns for the folder of each split"))
    if not any(frame.pair.label for frame in chosen):
        raise ValueError(f'split {part!r} has no image with a label: correct the setting split')
    return chosen


def _shared(frames: list[FolderFrame], share: float, part: str) -> list[FolderFrame]:
    """Return the part of a share: the end of each recording, or stills at equal distances."""
    chosen = []
    for _, group in groupby(frames, lambda frame: frame.recording):
        recording = list(group)
        count = len(recording)
        if recording[0].stamp_ns is None:
            validate = [int((i + 1) * share) > int(i * share) for i in range(count)]
        else:
            # Frames next to each other are alike: they must not lie in different parts.
            validate = [i >= round(count * (1 - share)) for i in range(count)]
        chosen += [frame for frame, val in zip(recording, validate) if val == (part == 'val')]
    return chosen


def _named(frames: list[FolderFrame], part: str | list[str], root: Path) -> list[FolderFrame]:
    if isinstance(part, list):
        return [frame for frame in frames
                if any(fnmatchcase(frame.pair.name, pattern) for pattern in part)]
    path = root / part
    try:
        lines = path.read_text(encoding='utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, 'strerror', None) or 'no text in UTF-8'
        raise ValueError(f'{path} cannot be read ({reason}): correct the setting split') from None
    by_name = PairsByName((frame.pair for frame in frames), root)
    images = {by_name.find(line.strip(), f'{path}, line {number}').image
              for number, line in enumerate(lines, 1)
              if line.strip() and not line.lstrip().startswith('#')}
    return [frame for frame in frames if frame.pair.image in images]
