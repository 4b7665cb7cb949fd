# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Provenance of a result: the command, the commit and the data behind it."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np


class DataHash:
    """SHA-256 of a sequence of arrays."""

    def __init__(self):
        self._hash = hashlib.sha256()

    def add(self, array: np.ndarray | None) -> None:
        """Append an array's values, if any; the order of arrays matters, their shapes do not."""
        if array is not None:
            self._hash.update(np.ascontiguousarray(array).data)

    def __str__(self) -> str:
        return self._hash.hexdigest()[:16]


def provenance(verb: str, arguments: list[str] | None, data: DataHash) -> dict[str, str | None]:
    """
    Describe a run of ``mfs-seg VERB``.

    :param verb: the verb.
    :param arguments: its options; None: the arguments of this process.
    :param data: hash of the data that the run read.
    :returns: ``command``; ``commit``, which ends in '+' where files differ from it, None outside a
        repository; ``data_sha256``, the first 16 digits.
    """
    arguments = sys.argv[1:] if arguments is None else [str(each) for each in arguments]
    return {'command': shlex.join(['mfs-seg', verb, *arguments]), 'commit': _commit(),
            'data_sha256': str(data)}


def _commit() -> str | None:
    def git(*arguments: str) -> str:
        return subprocess.run(['git', *arguments], cwd=Path(__file__).parent, check=True,
                              capture_output=True, text=True).stdout.strip()
    try:
        return git('rev-parse', '--short', 'HEAD') + ('+' if git('status', '--porcelain') else '')
    except (OSError, subprocess.CalledProcessError):
        return None
