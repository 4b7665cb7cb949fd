# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weather and light of a drive, applied to every colour."""

from __future__ import annotations

import math

import cv2
import numpy as np

from mfs_seg_core.data.street.canvas import Tone

# Sky at the horizon, sky at the zenith, sun, ambient light, haze per metre, cloud cover.
KINDS = {
    'sun': ((205, 222, 238), (88, 140, 208), 1.0, 0.52, 0.0022, 0.35),
    'cloudy': ((212, 218, 226), (140, 168, 204), 0.55, 0.66, 0.0035, 0.62),
    'overcast': ((206, 208, 212), (176, 180, 188), 0.0, 0.86, 0.0050, 0.9),
    'dusk': ((236, 186, 142), (92, 108, 160), 0.6, 0.42, 0.0040, 0.5),
    'haze': ((214, 212, 204), (190, 196, 204), 0.35, 0.72, 0.0130, 0.5),
    'rain': ((176, 180, 186), (142, 148, 158), 0.0, 0.66, 0.0085, 0.95),
}
CHANCES = (0.30, 0.22, 0.18, 0.12, 0.08, 0.10)


class Light:
    """Sun, sky, haze and camera response of one drive."""

    def __init__(self, rng: np.random.Generator):
        self.kind = str(rng.choice(list(KINDS), p=CHANCES))
        horizon, zenith, sun, ambient, haze, self.cover = KINDS[self.kind]
        self.horizon = np.clip(np.array(horizon) + rng.normal(0, 4, 3), 60, 250)
        self.zenith = np.clip(np.array(zenith) + rng.normal(0, 6, 3), 40, 245)
        self.sun = sun * rng.uniform(0.75, 1.1)
        self.ambient = ambient * rng.uniform(0.9, 1.1)
        self.haze = haze * rng.uniform(0.5, 1.6)
        self.sun_azimuth = rng.uniform(0, 2 * np.pi)
        self.sun_elevation = rng.uniform(0.2, 0.35) if self.kind == 'dusk' else rng.uniform(0.5, 1)
        warm = np.array([1.08, 1.0, 0.86]) if self.kind == 'dusk' else np.array([1.02, 1.0, 0.96])
        self.warmth = warm + rng.normal(0, 0.015, 3)
        # Python floats are faster than arrays for single colours.
        self._warmth, self._horizon = self.warmth.tolist(), self.horizon.tolist()
        self.wet = self.kind == 'rain'
        self.noise = rng.uniform(1.5, 5.0)
        self.blur = rng.uniform(0.35, 0.75)
        gamma = rng.uniform(0.85, 1.2)
        gain = rng.uniform(0.88, 1.1) * (0.9 if self.kind in ('dusk', 'rain') else 1.0)
        lift = rng.uniform(0, 14)
        ramp = np.arange(256) / 255
        balance = 1 + rng.normal(0, 0.015, 3)
        curve = lift + (255 - lift) * (gain * ramp[:, None] * balance) ** gamma
        self.response = np.clip(curve, 0, 255).astype(np.uint8)[None]
        self.grain = rng.normal(0, self.noise, (700, 1100)).astype(np.float32)

    def brightness(self, facing: float) -> float:
        """Return the light on an upright face with its normal at an azimuth in radians."""
        return self.ambient * 0.85 + self.sun * 0.62 * max(0.0, math.cos(facing - self.sun_azimuth))

    @property
    def casts(self) -> bool:
        """Whether the sun is strong enough for sharp shadows."""
        return self.sun > 0.2

    @property
    def open_ground(self) -> float:
        """Light on a level surface under the open sky."""
        return self.ambient + self.sun * 0.5 * np.sin(self.sun_elevation)

    def tone(self, brightness: float, distance: float, tint=(1.0, 1.0, 1.0)) -> Tone:
        """Return the tone of a surface with a brightness at a distance in metres."""
        clear = math.exp(-self.haze * max(distance, 0.0))
        (r, g, b), (u, v, w), (x, y, z) = self._warmth, tint, self._horizon
        gain = [r * u * brightness * clear, g * v * brightness * clear, b * w * brightness * clear]
        return Tone(gain, [x * (1 - clear), y * (1 - clear), z * (1 - clear)])

    def develop(self, image: np.ndarray, time_s: float) -> np.ndarray:
        """Apply rain, lens blur, noise and the response of the camera to a scene."""
        rng = np.random.default_rng(round(time_s * 1e6))
        height, width = image.shape[:2]
        if self.wet:
            image = self._rain(image, rng)
        image = self.blurred(image)
        top, left = rng.integers(0, 200), rng.integers(0, 200)
        grain = self.grain[top:top + height, left:left + width]
        if grain.shape != (height, width):
            grain = cv2.resize(grain, (width, height))
        # The three channels share the noise: sensor noise is mostly in the brightness.
        image = cv2.add(image, cv2.merge([grain] * 3), dtype=cv2.CV_8U)
        return cv2.LUT(image, self.response)

    def blurred(self, image: np.ndarray) -> np.ndarray:
        """Apply lens blur to an image of any type and number of channels."""
        return cv2.GaussianBlur(image, (3, 3), self.blur * max(1.0, image.shape[1] / 480))

    def _rain(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        height, width = image.shape[:2]
        streaks = np.zeros((height, width), np.uint8)
        count = 60
        start = rng.uniform(0, 1, (count, 2)) * (width, height)
        fall = rng.uniform(0.02, 0.08, (count, 1)) * height * np.array([[0.12, 1.0]])
        lines = np.stack([start, start + fall], 1).astype(np.int32)
        cv2.polylines(streaks, list(lines), False, 34)
        return cv2.add(image, cv2.merge([streaks] * 3))
