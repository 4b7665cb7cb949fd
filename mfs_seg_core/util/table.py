# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of figures, as text for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

SEPARATOR = '  '


def cell(value: float | None, form: str, scale: float = 1.0, unit: str = '') -> str:
    """
    Format a figure.

    :param value: the figure; None: not measured, or not defined.
    :param form: format specification, such as '.2f'.
    :param scale: factor on the figure.
    :param unit: text after the number, with its space.
    :returns: the number and its unit, or '-' for None.
    """
    # Without the test, a scale of 1.0 would turn an integer into a float.
    return '-' if value is None else format(value if scale == 1 else value * scale, form) + unit


def text_table(rows: Sequence[Sequence[str]], alignments: str = '<>') -> str:
    """
    Lay out a table with columns as wide as their widest cell.

    :param rows: cells of each row; a row may end early.
    :param alignments: '<' (left) or '>' (right) of each column; the last one holds for all columns
        after it.
    :returns: a line for each row, without spaces at its end.
    """
    widths = [max(len(row[column]) for row in rows if column < len(row))
              for column in range(max(map(len, rows)))]
    alignments = alignments.ljust(len(widths), alignments[-1])
    return '\n'.join(
        SEPARATOR.join(f'{text:{side}{width}}'
                       for text, side, width in zip(row, alignments, widths)).rstrip()
        for row in rows)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """
    Lay out a table in Markdown.

    :param head: titles of the columns.
    :param rows: cells of each row.
    :returns: a line for each row, without a line break at the end.
    """
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)
