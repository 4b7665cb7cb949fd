# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pose of the camera at a time, and projection of points of the road to its image."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

# Length of the modelled road behind and ahead of the camera, in metres.
BEHIND = 24
AHEAD = 170
# Distance of the near clipping plane, in metres.
NEAR = 0.4
CAMERA_HEIGHT = 1.5
# Focal length over image width: a horizontal view of about 57 degrees.
FOCAL = 0.92


class Waves:
    """Smooth function without end: a sum of sines with random phases."""

    def __init__(self, rng: np.random.Generator, amplitudes: ArrayLike, periods: ArrayLike):
        self.rates = 2 * np.pi / np.asarray(periods, float)
        self.amplitudes = np.asarray(amplitudes, float)
        self.phases = rng.uniform(0, 2 * np.pi, len(self.rates))

    def __call__(self, x):
        """Return the value at ``x``, a float or an array."""
        return np.sin(np.multiply.outer(x, self.rates) + self.phases) @ self.amplitudes

    def slope(self, x):
        """Return the derivative at ``x``, a float or an array."""
        return np.cos(np.multiply.outer(x, self.rates) + self.phases) @ (
            self.amplitudes * self.rates)


class Course:
    """Shape of the road and motion of the camera, as closed forms of position and time."""

    def __init__(self, rng: np.random.Generator, lane: float):
        self.heading = Waves(rng, rng.uniform(0.06, 0.22, 3),
                             rng.uniform([180, 300, 500], [260, 480, 900]))
        self.elevation = Waves(rng, rng.uniform(0.2, 1.6, 2), rng.uniform([260, 500], [400, 900]))
        self.speed = rng.uniform(5.5, 12.0)
        periods = rng.uniform([9, 17], [14, 30])
        # Amplitudes that keep the speed above a fifth of its mean.
        self.surge = Waves(rng, rng.dirichlet([1, 1]) * 0.8 * self.speed * periods / (2 * np.pi),
                           periods)
        self.lane = lane
        self.drift = Waves(rng, [0.16, 0.1], rng.uniform([6, 11], [10, 19]))
        self.pitch = Waves(rng, [0.0022, 0.0018, 0.0011], rng.uniform(
            [1.2, 0.6, 0.3], [2.0, 0.9, 0.5]))
        self.roll = Waves(rng, [0.004, 0.002], rng.uniform([1.5, 0.7], [3.0, 1.1]))
        self.yaw = Waves(rng, [0.012, 0.005], rng.uniform([5, 2], [9, 3]))
        self.tilt = rng.uniform(-0.03, 0.035)
        self.start = rng.uniform(0, 1000)

    def position(self, time_s: float) -> float:
        """Return the position at a time, in metres along the road."""
        return self.start + self.speed * time_s + float(self.surge(time_s))


class CameraView:
    """
    Pose of the camera at one time.

    Road coordinates are ``s`` along the road, ``d`` to the right of its centre line and ``y``
    above it, in metres. Camera coordinates are X right, Y up, Z ahead, in metres.
    """

    def __init__(self, course: Course, time_s: float, width: int, height: int):
        self.width, self.height = width, height
        self.time_s = time_s
        self.s = s = course.position(time_s)
        self.d = course.lane + float(course.drift(time_s))
        yaw = float(course.yaw(time_s))
        grid = np.arange(-BEHIND, AHEAD + 1.0)
        base = float(course.heading(s)) + yaw
        self.azimuth = base
        heading = course.heading(s + grid) - base
        middle = (heading[1:] + heading[:-1]) / 2
        x = np.concatenate([[0], np.cumsum(np.sin(middle))])
        z = np.concatenate([[0], np.cumsum(np.cos(middle))])
        sine, cosine = np.sin(heading), np.cos(heading)
        x += -self.d * cosine[BEHIND] - x[BEHIND]
        z += self.d * sine[BEHIND] - z[BEHIND]
        rise = course.elevation(s + grid) - float(course.elevation(s))
        rise -= float(course.elevation.slope(s)) * z
        self.grid = grid
        self.table = np.stack([x, rise - CAMERA_HEIGHT, z, cosine, sine], 1)
        self.focal = FOCAL * width
        self.horizon = height / 2 + self.focal * (course.tilt + float(course.pitch(time_s)))
        self.roll = float(course.roll(time_s))
        turn = np.array([[np.cos(self.roll), -np.sin(self.roll)],
                         [np.sin(self.roll), np.cos(self.roll)]])
        centre = np.array([width / 2, height / 2])
        self.matrix = np.eye(3)
        self.matrix[:2, :2] = turn @ np.diag([self.focal, -self.focal])
        self.matrix[:2, 2] = turn @ (np.array([width / 2, self.horizon]) - centre) + centre

    def place(self, road: np.ndarray) -> np.ndarray:
        """Convert road coordinates ``[N, 3]`` to camera coordinates, float64 ``[N, 3]``."""
        u = np.minimum(np.maximum(road[:, 0] - (self.s - BEHIND), 0), len(self.table) - 1.001)
        low = u.astype(np.intp)
        row = self.table[low]
        row += (self.table[low + 1] - row) * (u - low)[:, None]
        points = row[:, :3]
        points[:, 0] += road[:, 1] * row[:, 3]
        points[:, 1] += road[:, 2]
        points[:, 2] -= road[:, 1] * row[:, 4]
        return points

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project camera coordinates ``[N, 3]`` to pixels ``[N, 2]``, valid for points ahead."""
        image = points @ self.matrix.T
        return image[:, :2] / np.maximum(image[:, 2:], NEAR)


def clip_near(points: np.ndarray) -> np.ndarray:
    """Clip a polygon ``[N, 3]`` in camera coordinates at the near plane."""
    # Python floats are faster than arrays for so few points.
    corners = points.tolist()
    kept = []
    last = corners[-1]
    for point in corners:
        if (point[2] >= NEAR) != (last[2] >= NEAR):
            share = (NEAR - last[2]) / (point[2] - last[2])
            kept.append([a + (b - a) * share for a, b in zip(last, point)])
        if point[2] >= NEAR:
            kept.append(point)
        last = point
    return np.array(kept).reshape(-1, 3)
