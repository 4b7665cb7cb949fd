# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Render the parameters of the node ``mfs_seg`` as a Markdown table.

``python -m mfs_seg_ros.node.parameter_table`` prints the table;
``python -m mfs_seg_ros.node.parameter_table --write`` updates docs/node.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from mfs_seg_core.util.files import write_whole
from mfs_seg_core.util.table import markdown_table
from mfs_seg_ros.node.parameters import SEGMENTER, Setting

DOCUMENT = Path(__file__).resolve().parents[2] / 'docs' / 'node.md'
# Comments in the document that enclose the table.
BEGIN, END = '<!-- parameters: begin -->', '<!-- parameters: end -->'
TYPES = {str: 'string', bool: 'bool', int: 'int', float: 'float'}


def table_of(settings: Sequence[Setting]) -> str:
    """
    Return the table, one row for each parameter.

    :param settings: declarations of the parameters.
    :returns: lines of Markdown, without a newline at the end.
    """
    return markdown_table(
        ('parameter', 'type', 'default', 'limits', 'while active', 'description'),
        list(map(_row, settings)))


def replaced(text: str, table: str) -> str:
    """
    Return a document with a new table between its two comments.

    :param text: document.
    :param table: table, as :func:`table_of` returns it.
    :returns: the document, otherwise unchanged.
    :raises ValueError: one of the comments is missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f'the position of the table is not marked: write "{BEGIN}" and "{END}" '
                         'into the document')
    return f'{before}{BEGIN}\n{table}\n{END}{after}'


def main(arguments: list[str] | None = None) -> int:
    """
    Print the table, or write it into the document.

    :param arguments: options; None: those of the command line.
    :returns: exit code: 0, or 1 after an error message.
    """
    parser = argparse.ArgumentParser(prog='python -m mfs_seg_ros.node.parameter_table',
                                     description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--write', nargs='?', type=Path, const=DOCUMENT, metavar='FILE',
                        help='update the table in this document (default: docs/node.md)')
    options = parser.parse_args(arguments)
    table = table_of(SEGMENTER)
    if not options.write:
        print(table)
        return 0
    try:
        text = replaced(options.write.read_text(encoding='utf-8'), table)
        write_whole(options.write, text.encode())
    except (ValueError, OSError) as error:
        print(f'parameter_table: {error}', file=sys.stderr)
        return 1
    return 0


def kind_of(setting: Setting) -> str:
    """Return the type of a parameter, such as ``float`` or ``string[]``."""
    default = setting.default
    is_list = isinstance(default, list)
    return TYPES[type(default[0] if is_list else default)] + ('[]' if is_list else '')


def limits_of(setting: Setting) -> str:
    """Return the limits of a parameter, such as ``0 to 1e9``; empty: there are none."""
    return ' to '.join(map(_number, setting.limits or ()))


def default_of(setting: Setting) -> str:
    """Return the default of a parameter as a parameter file spells it."""
    default = setting.default
    if isinstance(default, str):
        return default or '""'
    # Numbers, truths and lists are spelled as in JSON.
    return json.dumps(default)


def _row(setting: Setting) -> tuple[str, ...]:
    return (f'`{setting.name}`', kind_of(setting), f'`{default_of(setting)}`', limits_of(setting),
            'yes' if setting.live else 'no',
            # Markdown reads <name> as HTML, and | as the border of a cell.
            setting.description.replace('<', '&lt;').replace('|', r'\|'))


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f'{value:g}'.replace('e+0', 'e')


if __name__ == '__main__':
    sys.exit(main())
