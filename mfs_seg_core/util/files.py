# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are either whole or absent."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def aside(path: Path) -> Path:
    """Return where to write until the file is whole: same folder, same suffix."""
    return path.with_name(f'{path.stem}.part{path.suffix}')


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a path to write to, and move the file into place when all went well."""
    part = aside(path)
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """
    Write a file; folders that lack are made.

    :raises OSError: it cannot be written, above all on a full disk; one sentence that names it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(path) as part:
            part.write_bytes(data)
    except OSError as error:
        # A failed write does not say of what.
        raise OSError(f"'{path}' cannot be written ({error.strerror}): make room on the disk, or "
                      'choose another folder') from None


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object, as `write_whole` does."""
    write_whole(path, (json.dumps(content, indent=2) + '\n').encode())
