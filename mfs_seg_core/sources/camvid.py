# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The images and labels of a CamVid folder as a source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mfs_seg_core.data.camvid import CamVid
from mfs_seg_core.sources.items import Frame
from mfs_seg_core.sources.source import Source


@dataclass(frozen=True)
class CamVidSource(Source):
    """One list of a CamVid folder in the SegNet layout."""

    root: Path
    split: str
    rate_hz: float

    def __iter__(self) -> Iterator[Frame]:
        dataset = CamVid(self.root, self.split)
        for index in range(len(dataset)):
            image, label, _ = dataset[index]
            yield Frame(image, label, index / self.rate_hz)
