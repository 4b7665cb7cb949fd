# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The images and labels of a CamVid folder as a source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mfs_seg_core.data.camvid import CamVid
from mfs_seg_core.sources.items import Frame, SourceError
from mfs_seg_core.sources.source import Source


@dataclass(frozen=True)
class CamVidSource(Source):
    """
    One list of a CamVid folder, at a constant rate; a bad pair leaves a gap.

    :param dataset: the list.
    :param rate_hz: frames per second.
    """

    dataset: CamVid
    rate_hz: float

    @property
    def expected_frames(self) -> int:
        """Number of pairs."""
        return len(self.dataset)

    def __iter__(self) -> Iterator[Frame]:
        bad = ''
        read = 0
        for index in range(len(self.dataset)):
            try:
                image, label, name = self.dataset[index]
            except ValueError as error:
                bad = bad or str(error)
                self.report.skip('frames', str(error))
                continue
            read += 1
            yield Frame(image, label, index / self.rate_hz, name=name)
        if not read:
            raise SourceError(f'none of {len(self.dataset)} pairs can be read: {bad}.')
