# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Atomic writing of files: a file is either whole or absent."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def aside(path: Path) -> Path:
    """Return the path of the temporary file: same folder, same suffix."""
    return path.with_name(f'{path.stem}.part{path.suffix}')


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; rename the file to ``path`` unless an error is raised."""
    part = aside(path)
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """
    Write a file, and create missing folders.

    :param path: path of the file.
    :param data: its content.
    :raises OSError: the file cannot be written, for example because the disk is full; one sentence
        that names the file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(path) as part:
            part.write_bytes(data)
    except OSError as error:
        # The error of a failed write does not name the file.
        raise OSError(f"'{path}' cannot be written ({error.strerror}): make room on the disk, or "
                      'choose another folder') from None


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object with :func:`write_whole`."""
    write_whole(path, (json.dumps(content, indent=2) + '\n').encode())
