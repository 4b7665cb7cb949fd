# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One augmented batch of an optimiser step."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Batch(NamedTuple):
    """
    Consecutive frames of B streams, with a label for each.

    - ``images``: normalised pixels ``[T, B, 3, h, w]``, channels last in memory.
    - ``labels``: class ids, int64 ``[T, B, h, w]``, 255 for void.
    - ``elapsed``: times between the frames in nominal steps, ``[B]``.
    - ``events``: event tensors ``[T, B, E, h, w]``, channels last in memory; None: no events.
    - ``present``: bool ``[T, B, 2]``, whether camera and events have data; None: all do.
    - ``follows``: bool ``[B]``, whether a stream continues that of the batch before; None: all
      start from rest.
    """

    images: Tensor
    labels: Tensor
    elapsed: Tensor
    events: Tensor | None = None
    present: Tensor | None = None
    follows: Tensor | None = None
