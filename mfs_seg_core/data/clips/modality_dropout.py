# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Modality dropout: the steps of a training stream at which camera and events have data."""

from __future__ import annotations

import numpy as np

# Shares of the streams with both modalities in all steps, the camera alone, events alone, a camera
# slower than the events, and an outage of the camera.
SHARES = {'fusion': 0.25, 'camera': 0.3, 'events': 0.25, 'slow_camera': 0.08, 'outage': 0.12}
# Greatest number of steps with events for each frame of a slow camera.
SLOWEST = 4


def draw_modalities(steps: int, random: np.random.Generator) -> np.ndarray:
    """
    Draw the modalities that have data in each step of a stream.

    :param steps: number of steps.
    :param random: generator to draw from.
    :returns: bool ``[steps, 2]``, whether the camera (0) and the events (1) have data. The events
        do in every step without a frame.
    """
    kind = random.choice(list(SHARES), p=list(SHARES.values()))
    present = np.ones((steps, 2), bool)
    if kind == 'camera':
        present[:, 1] = False
    elif kind == 'events':
        present[:, 0] = False
    elif kind == 'slow_camera':
        every = random.integers(2, SLOWEST + 1)
        present[:, 0] = np.arange(steps) % every == random.integers(every)
    elif kind == 'outage':
        first, last = np.sort(random.integers(0, steps + 1, 2))
        present[first:last, 0] = False
    return present
