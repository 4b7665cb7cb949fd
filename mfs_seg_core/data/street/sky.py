# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sky, clouds, and the skyline of distant trees and roofs."""

from __future__ import annotations

import math

import cv2
import numpy as np

from mfs_seg_core.data.street.canvas import Canvas, fixed_point
from mfs_seg_core.data.street.classes import BUILDING, SKY, TREE
from mfs_seg_core.data.street.ground import wrapped
from mfs_seg_core.data.street.light import Light
from mfs_seg_core.data.street.textures import noise

CLOUDS = 512
# Samples of the skyline around the full horizon.
ROUND = 2048


class Sky:
    """Clouds and skyline of one drive."""

    def __init__(self, rng: np.random.Generator, light: Light):
        field = noise(rng, CLOUDS, 8, 6)
        cut = np.quantile(field, 1 - light.cover)
        self.clouds = np.clip((field - cut) * rng.uniform(0.5, 1.2), 0, 1).astype(np.float32)
        self.wind = rng.normal(0, 1.2, 2)
        self.bright = rng.uniform(0.9, 1.12) if light.sun else rng.uniform(0.82, 1.0)
        angle = np.arange(ROUND) * 2 * np.pi / ROUND
        waves = sum(np.sin(angle * k + rng.uniform(0, 6.28)) / k ** 0.7
                    for k in rng.integers(3, 150, 30))
        ragged = rng.normal(0, 1, ROUND)
        self.trees = 0.022 + 0.007 * waves + 0.0016 * ragged
        blocks = np.repeat(rng.uniform(0, 0.06, ROUND // 16), 16)
        gaps = np.repeat(rng.random(ROUND // 16) < 0.55, 16)
        self.roofs = np.where(gaps, 0, blocks)
        self.green = np.array([74, 92, 62]) * rng.uniform(0.8, 1.1)
        self.stone = np.array([140, 128, 120]) * rng.uniform(0.8, 1.1)

    def draw(self, canvas: Canvas, light: Light) -> None:
        """Fill the image with sky, then draw the skyline on the horizon."""
        view = canvas.view
        bottom = int(min(view.height, max(1, np.ceil(view.horizon + 0.02 * view.width + 2))))
        # Clouds are smooth: half the resolution is enough.
        rows, across = (bottom + 1) // 2, (view.width + 1) // 2
        rise = ((view.horizon - 2 * np.arange(rows) - 1) / view.focal).astype(np.float32)
        columns = ((2 * np.arange(across) + 1 - view.width / 2) / view.focal).astype(np.float32)
        steep = np.clip(rise * 1.9, 0, 1)[:, None] ** np.float32(0.7)
        gradient = light.horizon * (1 - steep) + light.zenith * steep
        up = np.maximum(rise, np.float32(0.02))[:, None]
        turn = view.azimuth
        east = (columns * math.cos(turn) + math.sin(turn)) / up
        north = (math.cos(turn) - columns * math.sin(turn)) / up
        drift = self.wind * view.time_s % (CLOUDS - 1)
        cloud = cv2.remap(
            self.clouds, wrapped(east * np.float32(42) + np.float32(drift[0]), CLOUDS - 1),
            wrapped(north * np.float32(42) + np.float32(drift[1]), CLOUDS - 1), cv2.INTER_LINEAR)
        cloud *= np.clip(rise * 7, 0.12, 1)[:, None]
        white = np.clip(light.horizon * 0.5 + 118, 0, 252) * self.bright
        thick = white.astype(np.float32) * (1 - np.float32(0.22) * cloud[..., None])
        image = gradient.astype(np.float32)[:, None]
        image = image + (thick - image) * cloud[..., None]
        glow = np.maximum(np.cos(np.arctan(columns) + turn - light.sun_azimuth), 0) ** 4
        image += (np.float32(light.sun * 26) * glow)[None, :, None]
        image = np.clip(image, 0, 255).astype(np.uint8)
        image = cv2.resize(image, (2 * across, 2 * rows), interpolation=cv2.INTER_LINEAR)
        canvas.pixels[:bottom, :, :3] = image[:bottom, :view.width]
        canvas.pixels[..., 3] = SKY
        far = math.exp(-light.haze * 260)
        for heights, albedo, class_id in ((self.roofs, self.stone, BUILDING),
                                          (self.trees, self.green, TREE)):
            angles = turn + np.arctan(
                (np.arange(view.width) + 0.5 - view.width / 2) / view.focal)
            place = np.mod(angles / (2 * np.pi), 1) * ROUND
            tops = view.horizon - heights[place.astype(int) % ROUND] * view.focal
            edge = np.stack([np.arange(view.width), tops], 1)
            ends = [[view.width + 1.0, bottom + 4.0], [-1.0, bottom + 4.0]]
            colour = albedo * light.ambient * far + light.horizon * (1 - far)
            canvas.fill(fixed_point(np.concatenate([edge, ends])), colour.tolist(), class_id)
