# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Valid inputs of a step, its results, and potentials, for all backends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

# Membrane potentials of a stream, float32 [1, C, h, w], by the name of their neuron.
Potentials = dict[str, np.ndarray]


@dataclass(frozen=True)
class Prepared:
    """
    Valid input of one step of a stream, made by :meth:`Segmenter.prepare`.

    :param images: normalised pixels ``[1, 3, H, W]``, or the event tensor for weights that take
        events only; for the native backend, uint8 pixels ``[H, W, 3]`` or the event tensor
        ``[E, H, W]``.
    :param events: event tensor ``[1, E, H, W]``, or ``[E, H, W]`` for the native backend, for
        weights that take both.
    :param elapsed: time since the last step, in nominal steps.
    :param sizes: height and width of the frame and of the event sensor, by sensor.
    """

    images: Tensor | np.ndarray | None
    events: Tensor | np.ndarray | None
    elapsed: float
    sizes: dict[str, tuple[int, int]]


class StepRequest(NamedTuple):
    """
    Results to measure besides the mask.

    :param confidence: the confidence of each pixel.
    :param firing_rates: the firing rates of the layers.
    :param energy: the energy.
    """

    confidence: bool = False
    firing_rates: bool = False
    energy: bool = False


class StepResult(NamedTuple):
    """Mask, confidence, firing rates and energy of a stream, as in Segmentation."""

    mask: np.ndarray
    confidence: np.ndarray | None
    firing_rates: dict[str, float] | None
    energy_mj: float | None
