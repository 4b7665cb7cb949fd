# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameter files for child processes."""

from __future__ import annotations

import json
import re
from pathlib import Path

from mfs_seg_core.util.files import write_whole
from mfs_seg_core.util.text import printable

# Characters that YAML allows only as escapes, but JSON as they are.
CONTROL = re.compile('[\x7f-\x9f\ufeff\ufffe\uffff]')


def write_parameters(path: Path, parameters: dict[str, object]) -> None:
    """
    Write a parameter file for a node of any name.

    A file takes all text, of any length. JSON is YAML, but on the command line its escapes of
    emoji, in two halves, are none.

    :param path: the file.
    :param parameters: values by name.
    :raises ValueError: a text is not UTF-8, as names of files can be; one sentence.
    """
    text = json.dumps({'/**': {'ros__parameters': parameters}}, ensure_ascii=False, indent=2)
    text = CONTROL.sub(lambda match: f'\\u{ord(match[0]):04x}', text)
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        bad = next(value for value in parameters.values()
                   if isinstance(value, str) and error.object[error.start] in value)
        raise ValueError(
            f"'{printable(bad)}' is not UTF-8, as ROS parameters must be: rename it") from None
    write_whole(path, data)
