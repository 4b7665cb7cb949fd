# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bright streams of Street as a camera in dim light has them: new noise in each step."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from mfs_seg_core.data.street.sensor import BRIGHTNESS, GAMMA, READ_NOISE, WHITE

# Conditions of sequences with light to spare.
BRIGHT = ('day', 'blur')


class DimLight(NamedTuple):
    """
    Light of B streams, float32 ``[B, 1, 1, 1]`` each.

    - ``share``: uniform in 0..1; the streams below the share of the stage are in dim light;
    - ``white``: electrons that a white pixel collects in one exposure;
    - ``read_noise``: standard deviation of the read noise, in electrons;
    - ``brightness``: brightness of white after the camera's gain, 0..1.
    """

    share: Tensor
    white: Tensor
    read_noise: Tensor
    brightness: Tensor


def draw_light(count: int, device: str) -> DimLight:
    """
    Draw light as :class:`~mfs_seg_core.data.street.DimCamera` does.

    :param count: number of streams B.
    :param device: torch device.
    :returns: one draw for each stream.
    """
    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, 1, device=device)

    return DimLight(uniform(0, 1), torch.exp(uniform(*map(math.log, WHITE))),
                    uniform(*READ_NOISE), uniform(*BRIGHTNESS))


def dimmed(pixels: Tensor, light: DimLight) -> Tensor:
    """
    Return pixels with shot noise and read noise; the equations are those of ``DimCamera``.

    :param pixels: ``[B, 3, h, w]``, 0..1.
    :param light: light of the streams.
    :returns: pixels 0..1.
    """
    electrons = pixels.clamp(0, 1) ** GAMMA * light.white
    spread = (electrons + light.read_noise ** 2).sqrt()
    electrons = electrons + spread * torch.randn_like(electrons)
    return (electrons / light.white).clamp(0, 1) ** (1 / GAMMA) * light.brightness
