# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of what users give to launch files, where launch and the node would ignore mistakes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

NODE = 'mfs_seg'
# Names in a parameter file that apply to the node; the last two stand for one and any namespaces.
MATCHES = (NODE, '*', '**')
# Arguments of every launch file: options of ``ros2 launch`` and of its processes.
OF_LAUNCH = ('launch-prefix', 'launch-prefix-filter', 'emulate_tty', 'sigterm_timeout',
             'sigkill_timeout')


def check_argument_names(
    arguments: Iterable[str], known: Sequence[str], launch_file: str,
    command: Sequence[str] | None = None,
) -> None:
    """
    Refuse arguments that a launch file does not declare.

    A launch file that is included by another is not checked: the command line is for the other.

    :param arguments: arguments of the command line, such as 'sensors:=events'.
    :param known: names of the arguments that the launch file declares.
    :param launch_file: path of the launch file.
    :param command: command line of the process that launches; None: that of this process.
    :raises ValueError: an argument is unknown; one sentence.
    """
    command = sys.argv if command is None else command
    if Path(launch_file).name not in {Path(word).name for word in command}:
        return
    for name in (argument.partition(':=')[0] for argument in arguments):
        if name not in known and name not in OF_LAUNCH:
            similar = get_close_matches(name, known, n=1)
            remedy = f"did you mean '{similar[0]}'?" if similar else '--show-args lists them'
            raise ValueError(f"there is no argument '{name}': {remedy}")


def check_params_file(path: str) -> None:
    """
    Refuse a parameter file that cannot be read, or that has no parameters for the node.

    :param path: path of the file.
    :raises ValueError: the file cannot be used; one sentence.
    """
    try:
        tree = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else 'it is not UTF-8 text'
        raise ValueError(
            f"params_file '{path}' cannot be read ({reason}): give a YAML file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, 'problem_mark', None)
        line = f' in line {mark.line + 1}' if mark else ''
        raise ValueError(f"params_file '{path}' is not YAML{line}: correct it") from None
    names = list(_node_names(tree, ''))
    if not any(name.rpartition('/')[2] in MATCHES for name in names):
        found = f"it names {', '.join(names)}" if names else "it has no 'ros__parameters'"
        raise ValueError(f"params_file '{path}' has no parameters for the node '{NODE}', {found}: "
                         f"write '/**:' or '{NODE}:' above 'ros__parameters:'")


def _node_names(tree: Any, prefix: str) -> Iterator[str]:
    """Yield the names of the nodes that have parameters in a file; namespaces may be nested."""
    if not isinstance(tree, dict):
        return
    if 'ros__parameters' in tree:
        yield prefix
    for name, below in tree.items():
        if name != 'ros__parameters':
            yield from _node_names(below, f"{prefix}/{str(name).strip('/')}".strip('/'))
