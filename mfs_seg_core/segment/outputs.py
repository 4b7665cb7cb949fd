# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Video and bag of an input, which are written while its steps are read or run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from mfs_seg_core.class_groups import ClassGroups
from mfs_seg_core.events.event_image import draw_events
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.segment.inputs import bag_of
from mfs_seg_core.segment.settings import Job
from mfs_seg_core.segment.video import VIDEO_HEIGHT, RecordedFrame, RunVideo
from mfs_seg_core.sources.items import EventBatch, Frame
from mfs_seg_core.streaming.segmenter import Segmentation
from mfs_seg_core.streaming.step import Step


class InputOutputs:
    """
    Writes the requested files of an input that cannot be continued, only written again.

    :param job: the input.
    :param unfinished: folder of unfinished files.
    :param classes: classes of the masks, or their groups.
    :param groups: groups of the masks, which drawn labels get too; None: none.
    :raises ValueError: the bag cannot be read, or a package is missing; one sentence.
    :raises OSError: a file cannot be written; one sentence.
    """

    def __init__(self, job: Job, unfinished: Path, classes: ClassSet,
                 groups: ClassGroups | None = None):
        requested = job.settings.outputs
        self._groups = groups
        self._video = (RunVideo(job.folder / 'overlay.mp4', classes) if 'overlay' in requested
                       else None)
        self._copied = bag_of(job.input) if 'bag' in requested else None
        self._bag = None
        if 'bag' in requested:
            # Imported here: other outputs do not need rosbags.
            from mfs_seg_core.segment.bag_output import BagOutput
            try:
                self._bag = BagOutput(job.folder / 'bag', unfinished, classes, self._copied)
            except OSError:
                self._close()
                raise
        self._is_open = True

    @property
    def remarks(self) -> list[str]:
        """Sentences on what the files lack."""
        return self._bag.remarks if self._bag else []

    def seen(self, items: Iterable[Frame | EventBatch]) -> Iterator[Frame | EventBatch]:
        """
        Write the items of an input that is no bag.

        :param items: items of the input.
        :yields: the same items.
        """
        for item in items:
            if self._bag and self._copied is None:
                self._bag.add_item(item)
            yield item

    def add(self, step: Step, result: Segmentation) -> None:
        """
        Write the results of a step.

        :param step: the step.
        :param result: its mask, and confidence for a bag.
        """
        if self._video:
            self._video.add(step.header.stamp_ns / 1e9, self._drawn(step, result))
        if self._bag:
            self._bag.add(step.header, result.mask, result.confidence)

    def finish(self) -> None:
        """Complete the files: they have their names afterwards."""
        if self._video:
            self._video.close()
        if self._bag:
            self._bag.finish()
        self._close()

    def discard(self) -> None:
        """Remove unfinished files; nothing after :meth:`finish`."""
        if not self._is_open:
            return
        if self._video:
            self._video.discard()
        if self._bag:
            self._bag.discard()
        self._close()

    def _close(self) -> None:
        self._is_open = False
        if self._copied:
            self._copied.close()

    def _drawn(self, step: Step, result: Segmentation) -> RecordedFrame:
        events, label = None, step.header.label
        if step.window is not None:
            columns, rows = step.window.size
            height = min(rows, VIDEO_HEIGHT)
            events = draw_events(step.window, max(1, round(columns * height / rows)), height)
        if label is not None and self._groups:
            label = self._groups.apply(label)
        return RecordedFrame(step.image, events, label, result.mask)
