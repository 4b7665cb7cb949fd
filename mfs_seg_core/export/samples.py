# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs to compare an exported model with its network on: plain images, and drives of Street."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import numpy as np

from mfs_seg_core.data.street import Street
from mfs_seg_core.data.street.seeds import TEST_SEED
from mfs_seg_core.export.runners import Arrays
from mfs_seg_core.export.step import ELAPSED, EVENTS, IMAGE, PRESENT, StepNetwork

STREET_HZ = 20.0
# Change of a pixel, of 255, for an event.
EVENT_CONTRAST = 5.0
# Time of a step in nominal steps, and presence of camera and event camera, in turns.
ELAPSED_STEPS = (1.0, 1.0, 0.5, 2.0)
PRESENCE = ((1, 1), (1, 0), (0, 1))


def plain_inputs(step: StepNetwork, streams: int, count: int) -> Iterator[Arrays]:
    """
    Draw images of one random colour with a patch of noise.

    Most neurons of a channel have one of few potentials, so that rounding hardly ever moves one of
    them across its threshold, and changes no others.

    :param step: the step that takes them.
    :param streams: number of streams B.
    :param count: number of steps.
    :yields: the inputs of a step.
    """
    width, height = step.size
    random = np.random.default_rng(0)

    def image() -> np.ndarray:
        colour = np.empty((height, width, 3), np.uint8)
        colour[:] = random.integers(0, 256, 3)
        patch = colour[:height // 4, :width // 4]
        patch[:] = random.integers(0, 256, patch.shape)
        # Anywhere.
        return np.roll(colour, random.integers((height, width)), (0, 1))

    yield from _inputs(step, ([image() for _ in range(streams)] for _ in range(count)))


def street_inputs(step: StepNetwork, streams: int, count: int) -> Iterator[Arrays]:
    """
    Render drives of Street.

    :param step: the step that takes them.
    :param streams: number of streams B, a drive each.
    :param count: number of steps.
    :yields: the inputs of a step.
    """
    drives = [Street(TEST_SEED + seed, *step.size) for seed in range(streams)]
    yield from _inputs(step, ([drive.frame(index / STREET_HZ).image for drive in drives]
                              for index in range(count)))


def _inputs(step: StepNetwork, frames: Iterator[list[np.ndarray]]) -> Iterator[Arrays]:
    """Yield the inputs of steps: images, events at their changes, times and presence."""
    before = None
    channels = step.inputs[EVENTS].shape[1] if EVENTS in step.inputs else 0
    nominal = step.metadata.nominal_step
    for index, images in enumerate(map(np.stack, frames)):
        streams = len(images)
        light = images.mean(3, dtype=np.float32)
        change = np.zeros_like(light) if before is None else (light - before) / EVENT_CONTRAST
        before = light
        # OFF and ON in turns.
        counts = [np.floor(np.maximum(sign * change, 0))
                  for sign, _ in zip(cycle((-1, 1)), range(channels))]
        turns = range(index, index + streams)
        inputs = {IMAGE: images, EVENTS: np.log1p(np.stack(counts, 1)) if counts else None,
                  PRESENT: np.array([PRESENCE[turn % len(PRESENCE)] for turn in turns], np.float32),
                  ELAPSED: np.array([nominal * ELAPSED_STEPS[turn % len(ELAPSED_STEPS)]
                                     for turn in turns], np.float32)}
        yield {name: inputs[name] for name in step.inputs}
