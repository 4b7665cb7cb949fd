# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One step of the network: its input, and what later stages need to answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mfs_seg_core.events.tensor import EventWindow


@dataclass(frozen=True)
class Step:
    """
    The input of one step of the network; ``image`` or ``window`` or both are present.

    :param cause: message that completed the step, ``'image'`` or ``'events'``.
    :param header: header of that message, copied to the mask.
    :param stamp_ns: ROS time of the step in nanoseconds.
    :param received_s: when that message was received, by ``time.monotonic``.
    :param image: uint8 ``[H, W, 3]``, RGB.
    :param encoding: encoding of the image's message; empty without an image.
    :param window: events since the step before.
    :param image_size: width and height of the latest image; None before the first.
    :param decode_s: time that decoding the events of this step took.
    :param stamp_offset_s: how far the image's stamp is ahead of the newest event where that is more
        than a gap, else 0: the two have different clocks.
    """

    cause: str
    header: Any
    stamp_ns: int
    received_s: float = 0.0
    image: np.ndarray | None = None
    encoding: str = ''
    window: EventWindow | None = None
    image_size: tuple[int, int] | None = None
    decode_s: float = 0.0
    stamp_offset_s: float = 0.0
