# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a source yields, frames and batches of events, and how it says that it cannot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


class SourceError(ValueError):
    """A source cannot be opened or read; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Frame:
    """
    One picture of a source, its truth, or both.

    `image` is uint8 [H, W, 3] RGB or None, `label` uint8 [H, W] class ids with 255 unlabelled or
    None, `time_s` seconds since an arbitrary start, in the source's own time. It is sent `delay_s`
    after that moment.
    """

    image: np.ndarray | None
    label: np.ndarray | None
    time_s: float
    delay_s: float = 0.0


@dataclass(frozen=True)
class EventBatch:
    """
    A few milliseconds of events, as an EventPacket holds them.

    `time_s` is the moment of the first event, in the same time as that of frames; it is sent
    `delay_s` later, when its last event has come. `seq` None: whoever sends it counts.
    """

    data: bytes
    encoding: str
    width: int
    height: int
    time_s: float
    delay_s: float = 0.0
    seq: int | None = None
    time_base: int = 0
    is_bigendian: bool = False
