# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training on labelled frames and events."""

from __future__ import annotations

from pathlib import Path

from mfs_seg_core.train.settings import Settings, check
from mfs_seg_core.util.extras import missing


def train(settings: Settings, output: Path, fresh: bool = False) -> str:
    """
    Train a network, or continue a stopped run.

    :param settings: settings of the run.
    :param output: folder of all runs.
    :param fresh: start again instead of continuing a stopped run.
    :returns: mIoU and path of the weights as a sentence; empty in all but the first of several
        processes.
    :raises ValueError: the settings cannot be used, or a package is missing.
    """
    check(settings)
    try:
        from mfs_seg_core.train.run import run
    except ModuleNotFoundError as error:
        raise ValueError(f"training needs {missing(error.name, ['train'])}") from None
    return run(settings, output, fresh)
