# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a figure comes from: the command, the commit, the data."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np


class DataHash:
    """A hash of all arrays that were seen, in their order."""

    def __init__(self):
        self._hash = hashlib.sha256()

    def add(self, array: np.ndarray) -> None:
        self._hash.update(np.ascontiguousarray(array).data)

    def __str__(self) -> str:
        return self._hash.hexdigest()[:16]


def provenance(module: str, arguments: list[str] | None, data: DataHash) -> dict[str, str | None]:
    """
    Describe the run of ``python -m module``.

    :param arguments: of its command line; None: those of this process.
    :returns: ``command``, ``commit`` (None outside a repository; '+' behind it: files have changed
        since) and ``data_sha256``, the first 16 digits.
    """
    arguments = sys.argv[1:] if arguments is None else [str(each) for each in arguments]
    return {'command': shlex.join(['python', '-m', module, *arguments]), 'commit': _commit(),
            'data_sha256': str(data)}


def _commit() -> str | None:
    def git(*arguments: str) -> str:
        return subprocess.run(['git', *arguments], cwd=Path(__file__).parent, check=True,
                              capture_output=True, text=True).stdout.strip()
    try:
        return git('rev-parse', '--short', 'HEAD') + ('+' if git('status', '--porcelain') else '')
    except (OSError, subprocess.CalledProcessError):
        return None
