# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips of recordings in a folder; see :mod:`mfs_seg_core.data.clips.clip` for their fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mfs_seg_core.data.clips.clip import Clip
from mfs_seg_core.data.folder.dataset import LabelledFolder
from mfs_seg_core.data.folder.frame import FolderFrame
from mfs_seg_core.data.statistics import NOMINAL_STEP_S


class _Sequence(NamedTuple):
    """Place of the last frame of a sequence's first clip in its recording."""

    recording: list[FolderFrame]
    end: int


class FolderClips:
    """
    Clips of consecutive frames, each of which ends at a labelled frame.

    Frames before the first one of a recording repeat it.
    """

    still, channels = False, 3

    def __init__(self, folder: LabelledFolder, length: int, frames: int, every_label: bool = False):
        """
        Divide recordings into sequences of clips.

        :param folder: the data, with an order.
        :param length: clips per sequence.
        :param frames: frames per clip.
        :param every_label: end a sequence of one clip at each label, so that frames belong to
            several sequences. Else each frame belongs to one.
        :raises ValueError: no recording has labels at the distances that a sequence needs.
        """
        self.folder, self.length, self.frames = folder, length, frames
        self.classes = folder.classes
        self.sequences = [_Sequence(recording, end) for recording in folder.recordings
                          for end in self._ends(recording, every_label)]
        if not self.sequences:
            raise ValueError(f'no recording has {length} labels at distances of {frames} frames, '
                             f'as sequences of {length} clips of {frames} frames need: set a '
                             'smaller length, or frames to the distance of labels')

    def _ends(self, recording: list[FolderFrame], every_label: bool) -> Iterator[int]:
        free = 0
        for end, frame in enumerate(recording):
            last = end + (self.length - 1) * self.frames
            if (frame.pair.label and end >= free and last < len(recording)
                    and all(each.pair.label for each in recording[end:last + 1:self.frames])):
                yield end
                # The next sequence begins after this one.
                free = end + 1 if every_label else last + self.frames

    def __len__(self) -> int:
        return len(self.sequences) * self.length

    def __getitem__(self, index: int) -> Clip:
        number, place = divmod(index, self.length)
        recording, first = self.sequences[number]
        end = first + place * self.frames
        shown = [recording[max(0, i)] for i in range(end - self.frames + 1, end + 1)]
        images = [self.folder.image(frame) for frame in shown]
        for frame, image in zip(shown, images):
            if image.shape != images[-1].shape:
                raise ValueError(f'{frame.pair.image} has another size than {shown[-1].pair.image} '
                                 'of the same recording: resize one of them')
        label = self.folder.label(shown[-1], images[-1].shape[:2])
        step_s = ((recording[end].stamp_ns - recording[end - 1].stamp_ns) / 1e9 if end
                  else NOMINAL_STEP_S)
        return Clip(np.stack(images), label, step_s, place > 0, index)
