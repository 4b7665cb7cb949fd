# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs to label, drawn by Street, and the command."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import pytest

from mfs_seg_core.segment.__main__ import main
from mfs_seg_core.sources.street import StreetSource

FRAMES = 40


@pytest.fixture(scope='session')
def frames():
    """Return the first frames of a drive, 80x60."""
    return list(islice(StreetSource(3, 80, 60, 20.0), FRAMES))


@pytest.fixture(scope='session')
def folder(frames, tmp_path_factory) -> Path:
    """Return a folder of the images of the drive."""
    path = tmp_path_factory.mktemp('images') / 'drive'
    path.mkdir()
    for index, frame in enumerate(frames):
        cv2.imwrite(str(path / f'frame{index}.png'), cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))
    return path


@pytest.fixture
def label(capsys):
    """Run the command with weights Street; return exit code, lines and lines of errors."""
    def run(*arguments: object) -> tuple[int, list[str], list[str]]:
        code = main([*map(str, arguments), '--weights', 'street'])
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err.splitlines()
    return run
