# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips of recorded events; see :mod:`mfs_seg_core.data.clips.clip` for the fields of a clip."""

from __future__ import annotations

import numpy as np

from mfs_seg_core.data.clips.clip import Clip
from mfs_seg_core.data.labelled_events import LabelledEvents, LabelledRecordings
from mfs_seg_core.data.statistics import NOMINAL_STEP_S
from mfs_seg_core.events.tensor import EventWindow, event_tensor


class EventClips:
    """
    Clips of labelled event windows in temporal order; ``images`` is float32 ``[T, H, W, C]``.

    The images are event tensors (:mod:`mfs_seg_core.events.tensor`), or the data set's own tensors
    where it has no events.
    """

    still = False

    def __init__(self, recordings: LabelledRecordings, length: int, frames: int, bins: int):
        """
        Divide recordings into sequences of clips.

        :param recordings: labelled recordings.
        :param length: clips per sequence.
        :param frames: windows per clip.
        :param bins: time bins per window and polarity.
        :raises ValueError: no recording has enough labels for one sequence.
        """
        self.recordings, self.length, self.frames, self.bins = recordings, length, frames, bins
        self.classes = recordings.classes
        whole = length * frames
        # Labels at the end of a recording that do not fill a sequence are left out.
        self.starts = [start for items in recordings.recordings.values()
                       for start in range(items.start, items.stop - whole + 1, whole)]
        if not self.starts:
            raise ValueError(f'no recording has {whole} labels, as sequences of {length} clips of '
                             f'{frames} frames need: set a smaller length')

    def __len__(self) -> int:
        return len(self.starts) * self.length

    @property
    def channels(self) -> int:
        """Number of channels C of the images."""
        return self._tensor(self.recordings[self.starts[0]]).shape[2]

    def __getitem__(self, index: int) -> Clip:
        sequence, place = divmod(index, self.length)
        first = self.starts[sequence] + place * self.frames
        items = [self.recordings[first + i] for i in range(self.frames)]
        images = np.stack([self._tensor(item) for item in items])
        before = items[-2] if self.frames > 1 else (
            self.recordings[first - 1] if place else items[-1])
        step_s = (items[-1].stamp_us - before.stamp_us) / 1e6
        return Clip(images, items[-1].label, step_s or NOMINAL_STEP_S, place > 0, index)

    def _tensor(self, item: LabelledEvents) -> np.ndarray:
        if item.events is None:
            return item.tensor
        height, width = item.label.shape
        # A window of a fixed number of events lasts from the first event to the last.
        t = item.events.t
        start, end = (int(t.min()), int(t.max()) + 1) if t.size else (0, 1)
        window = EventWindow(item.events, start, end, (width, height))
        return event_tensor(window, self.bins, width, height).transpose(1, 2, 0)
