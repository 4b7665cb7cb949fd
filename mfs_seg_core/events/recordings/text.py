# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Text files with one event per line: t, x, y, p, separated by blanks or commas.

Time with a decimal point is in seconds, without one in microseconds. Polarity is 1 for ON events,
0 or -1 for OFF events. Optional lines before the events: comments with '#', the names of the
columns (which allow another order), and the width and height of the sensor.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from mfs_seg_core.events.recordings.recording import CHUNK, ArrayRecording, Recording

COMMENT = '#'
FIELDS = 'txyp'
# Lines at the start of a file that are searched for a header.
HEADER_LINES = 20


def open_file(path: Path, topic: str, size: tuple[int, int] | None) -> Recording:
    """Open a text file."""
    return TextRecording(path, size)


class TextRecording(ArrayRecording):
    """A text file, read in chunks of lines."""

    def __init__(self, path: Path, size: tuple[int, int] | None):
        self.path = path
        self._order, self._skipped, stated = list(range(4)), 0, None
        with path.open(encoding='ascii', errors='replace') as file:
            first = ''
            for number, line in enumerate(islice(file, HEADER_LINES), 1):
                words = line.replace(',', ' ').split()
                if not words or line.startswith(COMMENT):
                    continue
                if len(words) == 2 and all(word.isdecimal() for word in words):
                    stated = int(words[0]), int(words[1])
                elif len(words) == 4 and sorted(word[0].lower() for word in words) == sorted(
                        FIELDS):
                    names = [word[0].lower() for word in words]
                    self._order = [names.index(name) for name in FIELDS]
                else:
                    first = line
                    break
                self._skipped = number
        self._delimiter = ',' if ',' in first else None
        words = first.replace(',', ' ').split()
        # Of the first event alone: 0.0 is in seconds too.
        self._in_seconds = len(words) == 4 and not words[self._order[0]].lstrip('-').isdecimal()
        super().__init__(path, 'text', stated or size)

    def _arrays(self) -> Iterator[tuple[np.ndarray, ...]]:
        with self.path.open(encoding='ascii', errors='replace') as file:
            number = len(list(islice(file, self._skipped)))
            while lines := list(islice(file, CHUNK)):
                t, x, y, p = self._parsed(lines, number)[:, self._order].T
                if self._in_seconds:
                    t = np.rint(t * 1e6)
                number += len(lines)
                yield t.astype(np.int64), x, y, p > 0

    def _parsed(self, lines: list[str], before: int) -> np.ndarray:
        """Parse lines to float64 ``[N, 4]``; ``before``: number of preceding lines of the file."""
        if not any(line.split(COMMENT)[0].strip() for line in lines):
            return np.empty((0, 4))
        try:
            rows = np.loadtxt(lines, comments=COMMENT, delimiter=self._delimiter, ndmin=2)
            if rows.shape[1] == 4 and np.isfinite(rows).all() and np.abs(rows).max() < 1 << 62:
                return rows
        except ValueError:
            pass
        wrong = next(i for i, line in enumerate(lines) if not self._is_event(line))
        raise ValueError(f'line {before + wrong + 1} of {self.path} is not an event: expected four '
                         f'numbers, t x y p, not {lines[wrong].strip()[:40]!r}')

    def _is_event(self, line: str) -> bool:
        words = line.split(COMMENT)[0].strip().split(self._delimiter)
        try:
            return words in ([], ['']) or (
                len(words) == 4 and max(abs(float(word)) for word in words) < 1 << 62)
        except ValueError:
            return False
