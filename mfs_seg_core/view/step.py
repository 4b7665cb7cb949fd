# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Data of one step that a view shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class ViewedStep:
    """
    Data with one stamp; what is None is not shown.

    The arrays must not change afterwards: another thread reads them.

    :param stamp_ns: stamp in nanoseconds.
    :param image: camera image, uint8 ``[H, W, 3]``, RGB.
    :param events: image of the events, uint8 ``[H, W, 3]``, RGB.
    :param mask: uint8 ``[H, W]`` of class ids; 255: unlabelled.
    :param confidence: uint8 ``[H, W]``, probability of the class in 0..255.
    :param firing_rates: mean spikes of a neuron by layer, in the order of the layers.
    :param times_ms: times in milliseconds by name, such as 'stamp to mask'.
    :param status: sentence on the state of the segmenter; empty: none.
    """

    stamp_ns: int
    image: np.ndarray | None = None
    events: np.ndarray | None = None
    mask: np.ndarray | None = None
    confidence: np.ndarray | None = None
    firing_rates: Mapping[str, float] | None = None
    times_ms: Mapping[str, float] = field(default_factory=dict)
    status: str = ''
