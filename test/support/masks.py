# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading of results: masks in PNG files with a palette, and all files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mfs_seg_core.images.palette_png import as_grey
from mfs_seg_core.sources.video import VideoSource


def class_ids(path: Path) -> np.ndarray:
    """Return the class ids in a mask, uint8 ``[H, W]``."""
    data = np.frombuffer(as_grey(path.read_bytes()), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)


def contents(folder: Path) -> dict[str, bytes | list]:
    """Return the content of the results in a folder; of videos, the frames."""
    found: dict[str, bytes | list] = {}
    for path in sorted(folder.rglob('*')):
        if path.suffix == '.mp4':
            found[path.name] = [frame.image.tobytes() for frame in VideoSource(path, 1.0)]
        elif path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found
