# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training on labelled frames and events."""

from __future__ import annotations

from pathlib import Path

from mfs_seg_core.train.settings import Settings, check


def train(settings: Settings, output: Path, fresh: bool = False) -> str:
    """
    Train, or go on with a stopped run; see :func:`mfs_seg_core.train.run.run`.

    :raises ValueError: the settings cannot be used, or a package is missing.
    """
    check(settings)
    try:
        from mfs_seg_core.train.run import run
    except ModuleNotFoundError as error:
        raise ValueError(f'training needs {error.name}: '
                         'pip install "mfs_seg_ros[train]"') from None
    return run(settings, output, fresh)
