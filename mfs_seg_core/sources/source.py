# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Base class of sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mfs_seg_core.sources.items import EventBatch, Frame
from mfs_seg_core.sources.report import SourceReport


@dataclass(frozen=True, kw_only=True)
class Source:
    """
    Frames and batches of events in the order of their publication.

    Each iteration starts at the beginning. A bad item (a file, frame or message that cannot be
    read) is left out and counted in the report, as is a damaged end; the iteration goes on, and
    the items around it keep their times.

    :param report: what was left out.
    """

    report: SourceReport = field(default_factory=SourceReport, compare=False)

    def __iter__(self) -> Iterator[Frame | EventBatch]:
        raise NotImplementedError

    @property
    def expected_frames(self) -> int | None:
        """Number of images that the source declares, for a progress bar; None: it is unknown."""
        return None
