# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of U-Net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class UNetConfig:
    """
    Shape of a U-Net.

    :param classes: number of classes K.
    :param width: channels at full size; each of the four smaller sizes has twice as many as the one
        before.
    :param inputs: channels of an image.
    """

    classes: int
    width: int = 64
    inputs: int = 3
    # The fields that other code reads from a Config: one step per image, no event tensor.
    steps: ClassVar[int] = 1
    events: ClassVar[int] = 0
