# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sources made of another source: with resized frames, or without images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2

from mfs_seg_core.sources.items import EventBatch, Frame
from mfs_seg_core.sources.source import Source


@dataclass(frozen=True)
class Resized(Source):
    """Another source with resized frames; labels by the nearest pixel."""

    source: Source
    width: int
    height: int

    @property
    def expected_frames(self) -> int | None:
        """Number of images of the source."""
        return self.source.expected_frames

    def __iter__(self) -> Iterator[Frame | EventBatch]:
        size = (self.width, self.height)
        for item in self.source:
            if isinstance(item, Frame):
                image, label = item.image, item.label
                if image is not None:
                    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
                if label is not None:
                    label = cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)
                item = replace(item, image=image, label=label)
            yield item


@dataclass(frozen=True)
class WithoutImages(Source):
    """Another source without its images; labels and events remain."""

    source: Source

    def __iter__(self) -> Iterator[Frame | EventBatch]:
        for item in self.source:
            if isinstance(item, EventBatch):
                yield item
            elif item.label is not None:
                yield replace(item, image=None)
