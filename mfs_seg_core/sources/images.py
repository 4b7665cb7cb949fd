# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The images of a folder as a source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mfs_seg_core.images import BitDepth, MessageError, read_image
from mfs_seg_core.sources.items import Frame, SourceError
from mfs_seg_core.sources.source import Source


@dataclass(frozen=True)
class ImagesSource(Source):
    """
    Image files in this order, at a constant rate; a bad one leaves a gap.

    :param files: the files.
    :param rate_hz: frames per second.
    """

    files: tuple[Path, ...]
    rate_hz: float

    @property
    def expected_frames(self) -> int:
        """Number of files."""
        return len(self.files)

    def __iter__(self) -> Iterator[Frame]:
        depth = BitDepth()
        bad = ''
        read = 0
        for index, path in enumerate(self.files):
            try:
                image = read_image(path, depth)
            except MessageError as error:
                bad = bad or str(error)
                self.report.skip('frames', str(error))
                continue
            read += 1
            yield Frame(image, None, index / self.rate_hz, name=path.stem)
        if depth.bits:
            self.report.note(f"the images of '{self.files[0].parent}' have 16 bits, and are scaled "
                             f'by the {depth.bits} in use')
        if not read:
            raise SourceError(f'none of {len(self.files)} images can be read: {bad}.')
