# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a source of frames yields, and how it says that it cannot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


class SourceError(ValueError):
    """A source cannot be opened or read; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Frame:
    """
    One picture of a source.

    `image` is uint8 [H, W, 3] RGB, `label` uint8 [H, W] class ids with 255 unlabelled or None,
    `time_s` seconds since an arbitrary start, in the source's own time.
    """

    image: np.ndarray
    label: np.ndarray | None
    time_s: float
