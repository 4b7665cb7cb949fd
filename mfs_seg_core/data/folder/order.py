# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Order of images: recordings and times from the names of the files, or from a CSV file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from mfs_seg_core.data.folder.frame import FolderFrame, PairsByName
from mfs_seg_core.data.folder.path_pairs import PathPair
from mfs_seg_core.util.settings_file import typed

# Nanoseconds of a unit of time, by the name of a column or placeholder.
STAMPS = {'stamp_s': 10 ** 9, 'stamp_ms': 10 ** 6, 'stamp_us': 10 ** 3, 'stamp_ns': 1}
TIMES = ('frame', *STAMPS)
PLACEHOLDER = re.compile(r'\{(\w*)\}')


@dataclass(frozen=True)
class Order:
    """
    Settings of the order of images.

    :param names: pattern of the end of an image's path without its suffix, or several to try in
        turn: ``{recording}`` is any text without '/', ``{frame}`` a whole number, ``{stamp_s}``,
        ``{stamp_ms}``, ``{stamp_us}`` or ``{stamp_ns}`` a time. Without ``{recording}``, the images
        of a folder are a recording.
    :param csv: path of a CSV file below the root, instead of ``names``. Its columns are ``image``,
        ``recording`` (optional), and one of ``frame``, ``stamp_s``, ``stamp_ms``, ``stamp_us`` and
        ``stamp_ns``.
    :param rate_hz: frames per second, for ``frame``.
    """

    names: str | tuple = ''
    csv: str = ''
    rate_hz: float = 0.0


def read_order(values: dict) -> Order:
    """
    Check the settings of an order.

    :param values: the mapping ``sequences`` of a YAML file.
    :returns: the settings.
    :raises ValueError: a setting is unknown, missing or wrong; one sentence.
    """
    order = typed('sequences', Order, values)
    if bool(order.names) == bool(order.csv):
        raise ValueError("sequences needs either names, such as '{recording}_{frame}', or csv, the "
                         'path of a CSV file')
    for pattern in _patterns(order):
        keys = PLACEHOLDER.findall(pattern)
        times = [key for key in keys if key in TIMES]
        if len(times) != 1 or not set(keys) <= {'recording', *TIMES} or len(set(keys)) < len(keys):
            raise ValueError(f"sequences: names '{pattern}' must have one of "
                             f"{', '.join(f'{{{time}}}' for time in TIMES)}, may have "
                             "'{recording}', and nothing else in braces")
        _check_rate(order, times[0])
    return order


def ordered(pairs: list[PathPair], order: Order, root: Path) -> list[FolderFrame]:
    """
    Assign a recording and a time to each image.

    :param pairs: images.
    :param order: settings of the order.
    :param root: folder of the data.
    :returns: frames by recording, in temporal order.
    :raises ValueError: an image has no time, or two of a recording have the same; one sentence.
    """
    frames = list(_from_csv(pairs, order, root) if order.csv else _from_names(pairs, order, root))
    frames.sort(key=lambda frame: (frame.recording, frame.stamp_ns))
    for before, frame in zip(frames, frames[1:]):
        if (before.recording, before.stamp_ns) == (frame.recording, frame.stamp_ns):
            raise ValueError(
                f'{before.pair.image} and {frame.pair.image} have the same time in the recording '
                f'{frame.recording!r}: correct sequences, such as its {{recording}}')
    return frames


def _patterns(order: Order) -> tuple[str, ...]:
    return (order.names,) if isinstance(order.names, str) and order.names else tuple(order.names)


def _check_rate(order: Order, time: str) -> None:
    if time == 'frame' and not 0 < order.rate_hz < float('inf'):
        raise ValueError('sequences: frame numbers need rate_hz, the frames per second, above 0: '
                         'add it')


def _from_names(pairs: Iterable[PathPair], order: Order, root: Path) -> Iterator[FolderFrame]:
    compiled = [_compiled(pattern) for pattern in _patterns(order)]
    for pair in pairs:
        path = pair.image.relative_to(root) if pair.image.is_relative_to(root) else pair.image
        name = path.with_suffix('').as_posix()
        match = next(filter(None, (each.fullmatch(name) for each in compiled)), None)
        if not match:
            raise ValueError(f'{pair.image} does not match the names of sequences, '
                             f'{" or ".join(_patterns(order))}: correct them')
        parts = match.groupdict()
        recording = parts.pop('recording', None) or path.parent.as_posix()
        (time, text), = parts.items()
        yield FolderFrame(pair, recording, _stamp_ns(time, text, order, str(pair.image)))


def _compiled(pattern: str) -> re.Pattern:
    kinds = {'recording': '[^/]+', 'frame': r'\d+'}
    parts = PLACEHOLDER.split(pattern)
    # Every second part is the name of a placeholder.
    body = ''.join(f'(?P<{part}>{kinds.get(part, "[0-9]+(?:[.][0-9]+)?")})' if index % 2
                   else re.escape(part) for index, part in enumerate(parts))
    return re.compile(f'(?:.*/)?{body}')


def _from_csv(pairs: list[PathPair], order: Order, root: Path) -> Iterator[FolderFrame]:
    path = root / order.csv
    by_name, missing = PairsByName(pairs, root), {pair.image: pair for pair in pairs}
    for line, row in _rows(path):
        time, = (key for key in TIMES if key in row)
        _check_rate(order, time)
        where = f'{path}, line {line}'
        pair = by_name.find(row['image'], where)
        if missing.pop(pair.image, None) is None:
            raise ValueError(f'{where} names {pair.image} a second time: remove one of the lines')
        yield FolderFrame(pair, row.get('recording', ''),
                          _stamp_ns(time, row[time], order, where))
    if missing:
        raise ValueError(f'{path} does not name {next(iter(missing))}: add a line for each image, '
                         'or narrow the pattern of the images')


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and values of the rows of a CSV file with the columns of an order."""
    try:
        text = path.read_text(encoding='utf-8-sig')
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, 'strerror', None) or 'no text in UTF-8'
        raise ValueError(f'{path} cannot be read ({reason}): correct csv of sequences') from None
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    columns = reader.fieldnames or []
    if 'image' not in columns or sum(time in columns for time in TIMES) != 1:
        raise ValueError(f'{path} has the columns {", ".join(columns) or "none"}: the first line '
                         f'must name image, and one of {", ".join(TIMES)}')
    for row in reader:
        if None in row or None in row.values():
            raise ValueError(f'{path}, line {reader.line_num}, has another number of values than '
                             'the first line: correct it')
        yield reader.line_num, row


def _stamp_ns(time: str, text: str, order: Order, where: str) -> int:
    try:
        number = Decimal(text)
        # Decimal: a float of seconds since 1970 has steps of 0.2 microseconds.
        return (round(float(number) / order.rate_hz * 1e9) if time == 'frame'
                else round(number * STAMPS[time]))
    except (InvalidOperation, ValueError, OverflowError):
        raise ValueError(f'{where}: {time} is {text!r}: write a number') from None
