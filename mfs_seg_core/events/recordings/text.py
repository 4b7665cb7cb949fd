# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Text files with one event in a line: t, x, y and p in any order, and maybe an index.

Polarity is 1 for ON events, 0 or -1 for OFF events; True and False are read too. Blanks, tabs,
commas and semicolons separate the columns. Before the events there may be comments, the names of
the columns and the size of the sensor; see :mod:`mfs_seg_core.events.recordings.text_head`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from mfs_seg_core.events.recordings.formats import START, text_encoding
from mfs_seg_core.events.recordings.recording import CHUNK, ArrayRecording, Recording
from mfs_seg_core.events.recordings.table import (
    SAMPLE,
    check_extent,
    find_order,
    find_unit,
    table_microseconds,
)
from mfs_seg_core.events.recordings.text_head import BLANKS, is_comment, read_head, split
from mfs_seg_core.util.text import printable

# Larger numbers are damage: no field of an event reaches them.
LARGEST = float(1 << 62)
_TRUTH = {'true': '1', 'false': '0', 'on': '1', 'off': '0'}
_WORD = re.compile('|'.join(rf'\b{word}\b' for word in _TRUTH), re.IGNORECASE)
# Comments behind an event.
_BEHIND = re.compile(r'\s*(?:#|%|//).*')
# Characters that lines of numbers do not have.
_UNUSUAL = re.compile(r'[^\d\s.,;|eE+-]|^[;]|--|\d\r(?!\n)|[\v\f]', re.MULTILINE | re.ASCII)


def open_file(path: Path, topic: str, size: tuple[int, int] | None, columns: str,
              unit: str) -> Recording:
    """Open a text file."""
    return TextRecording(path, size, columns, unit)


class TextRecording(ArrayRecording):
    """A text file, read in chunks of lines."""

    def __init__(self, path: Path, size: tuple[int, int] | None, columns: str, unit: str):
        self.path = path
        self._begin()
        with path.open('rb') as file:
            self._encoding = text_encoding(file.read(START)) or 'utf-8'
        with self._opened() as file:
            self._head = read_head(file, path)
        self._width = len(split(_BEHIND.sub('', self._head.first)))
        self._order, self._unit, names = (0, 1, 2, 3), 'us', ()
        if self._head.first:
            sample = self._sample()
            names = self._head.names
            names = names if len(names) == self._width else ()
            self._order = find_order(path, sample, columns, names)
            t = sample[:, self._order[0]]
            self._unit = find_unit(path, t, unit, names[self._order[0]] if names else '')
        super().__init__(path, 'text', self._head.size or size)
        if self.size_origin:
            check_extent(path, self.size, columns, names)

    def _opened(self):
        return self.path.open(encoding=self._encoding, errors='replace')

    def _sample(self) -> np.ndarray:
        """Return the first events, float64 ``[N, C]``."""
        with self._opened() as file:
            lines = list(islice(file, self._head.lines, self._head.lines + SAMPLE))
        rows = self._parsed(lines, self._head.lines, self._kind(()))
        return np.stack([rows[name] for name in rows.dtype.names], 1)

    def _kind(self, whole: Collection[int]) -> np.dtype:
        """Return the type of a line of which some columns are integers."""
        return np.dtype([('', 'i8' if i in whole else 'f8') for i in range(self._width)])

    def _arrays(self) -> Iterator[tuple[np.ndarray, ...]]:
        if not self._head.first:
            return
        number = self._head.lines
        with self._opened() as file:
            next(islice(file, number - 1, number), None) if number else None
            while lines := list(islice(file, CHUNK)):
                rows = self._exact(lines, number)
                t, x, y, p = (rows[rows.dtype.names[i]] for i in self._order)
                number += len(lines)
                yield table_microseconds(self.path, t, self._unit), x, y, p > 0

    def _exact(self, lines: list[str], before: int) -> np.ndarray:
        """Parse lines, times as integers if all are: float64 rounds nanoseconds since 1970."""
        if self._unit == 'ns':
            try:
                return self._rows(_plain(lines), self._kind(self._order[:1]))
            except (ValueError, OverflowError):
                pass
        return self._parsed(lines, before, self._kind(()))

    def _parsed(self, lines: list[str], before: int, kind: np.dtype) -> np.ndarray:
        """Parse lines to rows ``[N]``; ``before``: number of preceding lines of the file."""
        texts = _plain(lines)
        if not any(texts):
            return np.empty(0, kind)
        try:
            return self._rows(texts, kind)
        except (ValueError, OverflowError):
            pass
        wrong = next((i for i, text in enumerate(texts) if text and not self._is_event(text, kind)),
                     0)
        if wrong == len(lines) - 1 > 0 and not lines[-1].endswith('\n'):
            # A program that was stopped did not finish the last line.
            self._faults['cut word'] += 1
            self.notes.append(f'line {before + wrong + 1}, the last one, is cut')
            return self._rows(texts[:-1], kind)
        raise ValueError(f'line {before + wrong + 1} of {self.path} is not an event: expected '
                         f'{self._width} numbers, such as t x y p, not '
                         f"'{printable(lines[wrong].strip(), 40)}'")

    def _rows(self, texts: list[str], kind: np.dtype) -> np.ndarray:
        rows = np.loadtxt(texts, kind, comments=None, ndmin=1)
        # NaN fails the comparison too.
        if not all((np.abs(rows[name]) < LARGEST).all() for name in kind.names):
            raise ValueError('a number is not finite or too large')
        return rows

    def _is_event(self, text: str, kind: np.dtype) -> bool:
        words = text.split()
        try:
            return len(words) == len(kind) and all(
                abs(float(word)) < LARGEST for word in words)
        except ValueError:
            return False


def _plain(lines: list[str]) -> list[str]:
    """Return lines without comments, with blanks as separators and numbers for words of truth."""
    if not _UNUSUAL.search(joined := ''.join(lines)):
        return joined.translate(BLANKS).splitlines()
    texts = []
    for line in lines:
        line = '' if is_comment(line) else _BEHIND.sub('', line)
        line = _WORD.sub(lambda found: _TRUTH[found[0].lower()], line)
        texts.append(' '.join(split(line)))
    return texts
