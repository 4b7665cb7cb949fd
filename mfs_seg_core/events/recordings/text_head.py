# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lines before the first event of a text file: comments, names of the columns, sensor size."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mfs_seg_core.events.recordings.columns import named_order

# Beginnings of comment lines.
COMMENTS = ('#', '%', '//', '--', '!', ';', '*')
# Separators of columns, quotes and brackets.
BLANKS = str.maketrans(dict.fromkeys(',;|\t"\'[](){}', ' '))
_SIZE = re.compile(r'(?:geometry|resolution|(?:sensor|image|frame)[ _]size|^\W*size)\W*(\d+)'
                   r'\s*[x×*,; ]\s*(\d+)', re.IGNORECASE)
_SIDE = re.compile(r'\b(width|height)\W+(\d+)', re.IGNORECASE)
# Lines of words before the first event that are no comments; a text with more is no recording.
MOST_WORDS = 100


class TextHead(NamedTuple):
    """
    Lines before the first event.

    :param lines: their number.
    :param names: names of the columns; empty: none.
    :param size: width and height of the sensor; None: not stated.
    :param first: the first event's line; empty: there is none.
    """

    lines: int
    names: list[str]
    size: tuple[int, int] | None
    first: str


def split(line: str) -> list[str]:
    """Return the words of a line between separators, quotes and brackets."""
    return line.translate(BLANKS).split()


def is_comment(line: str) -> bool:
    """Return whether a line is a comment, or blank."""
    line = line.strip()
    # Not a negative number.
    return not line or line.startswith(COMMENTS)


def read_head(lines: Iterable[str], path: Path) -> TextHead:
    """
    Read the lines before the first event.

    :param lines: the lines of the file.
    :param path: the file, for error messages.
    :returns: the head.
    :raises ValueError: if a line is neither a head nor an event.
    """
    names, size, sides, words = [], None, {}, 0
    for number, line in enumerate(lines):
        parts = split(line)
        if is_comment(line):
            if found := _SIZE.search(line):
                size = int(found[1]), int(found[2])
            sides |= {name.lower(): int(value) for name, value in _SIDE.findall(line)}
            names = _names(line.strip().lstrip('#%/-!;* ').rpartition(':')[2]) or names
        elif parts and is_number(parts[0]):
            if len(parts) == 2 and all(part.isdecimal() for part in parts):
                size = int(parts[0]), int(parts[1])
            elif len(parts) == 1:
                # The number of events.
                continue
            else:
                size = size or (sides['width'], sides['height']) if len(sides) == 2 else size
                return TextHead(number, names, _checked(size, path), line)
        else:
            words += 1
            names = _names(line) or names
            if words > MOST_WORDS:
                raise ValueError(f'line {number + 1} of {path} is not an event: expected lines of '
                                 'four numbers, such as t x y p')
    if words and not names:
        raise ValueError(f'{path} is a text without events: expected lines of four numbers, such '
                         'as t x y p')
    return TextHead(0, names, _checked(size, path), '')


def is_number(word: str) -> bool:
    """Return whether a word is a number."""
    try:
        float(word)
    except ValueError:
        return False
    # Names of columns such as 'nan' and 'inf' are no numbers here.
    return word[-1] in '.0123456789'


def _names(line: str) -> list[str]:
    """Return the names of the columns in a line; empty: they do not name t, x, y and p."""
    separator = next((mark for mark in ',;\t|' if mark in line), None)
    names = [name.strip(' \t\r\n"\'[]') for name in line.split(separator)]
    # A trailing separator.
    names = names[:-1] if names and not names[-1] else names
    return names if named_order(names) else []


def _checked(size: tuple[int, int] | None, path: Path) -> tuple[int, int] | None:
    if size is not None and not all(0 < pixels <= 0xffff for pixels in size):
        raise ValueError(f'{path} declares a sensor of {size[0]} x {size[1]} pixels: correct its '
                         'header')
    return size
