# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which of two senses, camera and events, a stream has at each step of training."""

from __future__ import annotations

import numpy as np

# Share of the streams that see so: with both senses all the time, the camera alone, events alone,
# a camera slower than the events, or a camera that is lost for a while.
SHARES = {'fusion': 0.25, 'camera': 0.3, 'events': 0.25, 'slow': 0.08, 'lost': 0.12}
# Events come in so many steps to one frame of a slow camera.
SLOWEST = 4


def senses_of(steps: int, random: np.random.Generator) -> np.ndarray:
    """
    Draw what a stream of ``steps`` steps sees.

    :returns: bool ``[steps, 2]``: whether the camera, and events, are there. One of them always is.
    """
    kind = random.choice(list(SHARES), p=list(SHARES.values()))
    seen = np.ones((steps, 2), bool)
    if kind == 'camera':
        seen[:, 1] = False
    elif kind == 'events':
        seen[:, 0] = False
    elif kind == 'slow':
        every = random.integers(2, SLOWEST + 1)
        seen[:, 0] = np.arange(steps) % every == random.integers(every)
    elif kind == 'lost':
        first, last = np.sort(random.integers(0, steps + 1, 2))
        seen[first:last, 0] = False
    return seen
