# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text that a node prints for ``--help``."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Sequence

from mfs_seg_ros.node.parameter_table import default_of, kind_of, limits_of
from mfs_seg_ros.node.parameters import Setting

WIDTH = 100


def usage(name: str, docstring: str, settings: Sequence[Setting]) -> str:
    """
    Return the usage of an executable, with its parameters.

    :param name: name of the executable.
    :param docstring: docstring of the node; its first sentence describes the executable.
    :param settings: declarations of the parameters.
    :returns: lines of text, without a newline at the end.
    """
    summary = inspect.cleandoc(docstring).partition('\n\n')[0]
    lines = [f'usage: {name} [--ros-args [-p NAME:=VALUE] [--params-file FILE] [-r FROM:=TO] ...]',
             '', textwrap.fill(' '.join(summary.split()), WIDTH), '', 'parameters:']
    for setting in settings:
        limits = limits_of(setting)
        facts = [kind_of(setting), f'default {default_of(setting)}', *([limits] if limits else ())]
        lines.append(f"  {setting.name} ({', '.join(facts)})")
        lines += textwrap.wrap(setting.description, WIDTH, initial_indent='      ',
                               subsequent_indent='      ')
    return '\n'.join(lines)
