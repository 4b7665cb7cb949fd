# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The images of a folder as a source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from mfs_seg_core.sources.items import Frame, SourceError
from mfs_seg_core.sources.source import Source

IMAGE_SUFFIXES = {'.png', '.jpg', '.jpeg', '.bmp', '.ppm', '.tif', '.tiff', '.webp'}


@dataclass(frozen=True)
class ImageFolderSource(Source):
    """The images of a folder, sorted by name with numbers in numerical order."""

    folder: Path
    rate_hz: float

    def __iter__(self) -> Iterator[Frame]:
        for index, path in enumerate(image_files(self.folder)):
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image is None:
                raise SourceError(f"'{path}' is not a readable image: repair or remove it.")
            yield Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), None, index / self.rate_hz)


def image_files(folder: Path) -> list[Path]:
    """Return the image files of a folder, sorted by name with numbers in numerical order."""
    def by_number(path: Path) -> list[tuple[int, str]]:
        parts = re.split(r'(\d+)', path.name)
        return [(int(part), '') if part.isdigit() else (-1, part) for part in parts]

    found = (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(found, key=by_number)
