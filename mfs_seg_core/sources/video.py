# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The frames of a video file as a source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from mfs_seg_core.sources.items import Frame
from mfs_seg_core.sources.source import Source


@dataclass(frozen=True)
class VideoSource(Source):
    """A video file at its own rate; ``rate_hz`` where the file has none."""

    path: Path
    rate_hz: float

    def __iter__(self) -> Iterator[Frame]:
        capture = cv2.VideoCapture(str(self.path))
        try:
            rate_hz = capture.get(cv2.CAP_PROP_FPS) or self.rate_hz
            index = 0
            while True:
                found, image = capture.read()
                if not found:
                    return
                yield Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), None, index / rate_hz)
                index += 1
        finally:
            capture.release()
