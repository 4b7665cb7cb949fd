# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cars, vans and buses as polyhedra."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from mfs_seg_core.data.street.canvas import Canvas, ProjectedPoints
from mfs_seg_core.data.street.classes import CAR
from mfs_seg_core.data.street.light import Light
from mfs_seg_core.data.street.thing import Thing

PAINTS = [(178, 180, 184), (64, 66, 70), (226, 226, 224), (140, 30, 32), (36, 58, 108),
          (24, 25, 28), (110, 116, 122), (70, 96, 84), (150, 132, 96), (46, 84, 140)]
# Length, width, height, belt line, boot, tail to roof, roof to windscreen, bonnet, bonnet height.
KINDS = {
    'hatch': (4.0, 1.72, 1.46, 0.92, 0.03, 0.28, 0.75, 0.95, 0.80),
    'saloon': (4.6, 1.80, 1.42, 0.92, 0.50, 0.95, 0.75, 1.10, 0.78),
    'suv': (4.5, 1.86, 1.70, 1.05, 0.03, 0.22, 0.65, 1.05, 0.98),
    'van': (5.2, 1.98, 2.25, 1.25, 0.03, 0.06, 0.70, 0.65, 1.10),
    'bus': (10.5, 2.5, 3.0, 1.30, 0.03, 0.06, 0.12, 0.06, 1.25),
}
CHANCES = (0.36, 0.27, 0.17, 0.15, 0.05)
# Height of the sill above the ground, and inward lean of the cabin at each outline point.
FLOOR = 0.24
LEAN = np.array([0, 0.02, 0.16, 0.16, 0.02, 0.03])
# Directions of faces, for their light; GLOW is the light of lamps.
BACK, NOSE, LEFT, RIGHT, UP, BACK_UP, NOSE_UP, GLOW = range(8)
MATERIALS = ('paint', 'glass', 'sky', 'sill', 'bumper', 'tyre', 'hub', 'rear_plate', 'front_plate',
             'tail_lamp', 'head_lamp')


class Face(NamedTuple):
    """A face, anticlockwise from outside, drawn if the vehicle is ``least`` pixels high or more."""

    index: np.ndarray
    material: str
    facing: int
    least: float


class VehicleModel:
    """
    Shape of a vehicle.

    - ``points``: float64 ``[N, 3]`` in metres: along from the tail, to the right, up.
    - ``faces``: from nose to tail, the order to draw them in from behind.
    """

    def __init__(self, rng: np.random.Generator):
        self.kind = str(rng.choice(list(KINDS), p=CHANCES))
        length, width, height, belt, boot, rear, screen, nose, bonnet = KINDS[self.kind]
        self.length = length = length * rng.uniform(0.95, 1.06)
        self.width = width
        self.height = height = height * rng.uniform(0.96, 1.05)
        self.wheel = 0.48 if self.kind == 'bus' else 0.33
        self.outline = np.array([
            (0, belt * 0.97), (boot, belt), (boot + rear, height),
            (length - nose - screen, height), (length - nose, belt), (length, bonnet)])
        self._points: list = []
        head, tail = self._end(nose=True), self._end(nose=False)
        self.faces = [*head, *self._top(), *self._flank(-1), *self._flank(1), *tail]
        # From ahead, the tail is the far end, which is drawn first.
        self.turned = [*tail, *self._top()[::-1], *self._flank(-1), *self._flank(1), *head]
        self.points = np.array(self._points)

    def _face(self, points, material: str, facing: int, least: float = 0.0) -> Face:
        start = len(self._points)
        self._points += [tuple(point) for point in points]
        return Face(np.arange(start, len(self._points)), material, facing, least)

    def _top(self) -> list[Face]:
        """Return bonnet, windscreen, roof, rear window and boot."""
        half = self.width / 2 - LEAN
        faces = []
        for i, (material, facing) in enumerate([
                ('paint', BACK_UP), ('sky', BACK_UP), ('paint', UP), ('sky', NOSE_UP),
                ('paint', NOSE_UP)]):
            (x0, y0), (x1, y1) = self.outline[i:i + 2]
            faces.append(self._face(
                [(x0, -half[i], y0), (x0, half[i], y0), (x1, half[i + 1], y1),
                 (x1, -half[i + 1], y1)], material, facing))
        return faces[::-1]

    def _flank(self, side: int) -> list[Face]:
        facing = LEFT if side < 0 else RIGHT
        half = side * (self.width / 2 - LEAN)
        out = side * self.width / 2
        top = [(x, w, y) for (x, y), w in zip(self.outline, half)]
        body = [(0, out, FLOOR), top[0], top[1], top[4], top[5], (self.length, out, FLOOR)]
        cabin = np.array(top[1:5])
        inner = cabin.mean(0) + (cabin - cabin.mean(0)) * (0.86, 1, 0.72)
        inner[:, 1] += side * 0.01
        sill = [(0, out, FLOOR), (0, out, FLOOR + 0.12), (self.length, out, FLOOR + 0.12),
                (self.length, out, FLOOR)]
        shapes = [(body, 'paint', 0.0), (cabin, 'paint', 0.0), (inner, 'glass', 0.0),
                  (sill, 'sill', 14.0)]
        pillar = (cabin[1, 0] + cabin[2, 0]) / 2
        if self.kind != 'bus':
            low, high = inner[0, 2], inner[1, 2]
            lean_low, lean_high = inner[0, 1], inner[1, 1]
            shapes.append(([(pillar - 0.05, lean_low, low), (pillar - 0.05, lean_high, high),
                            (pillar + 0.05, lean_high, high), (pillar + 0.05, lean_low, low)],
                           'paint', 14.0))
        angle = -np.arange(12) * 2 * np.pi / 12
        for middle in (self.length * 0.19, self.length * 0.80):
            for radius, material, least in ((self.wheel * 1.15, 'sill', 16.0),
                                            (self.wheel, 'tyre', 10.0),
                                            (self.wheel * 0.6, 'hub', 16.0)):
                ring = np.stack([middle + radius * np.cos(angle), np.full(12, out * 1.004),
                                 self.wheel + radius * np.sin(angle)], 1)
                shapes.append((ring, material, least))
        # Points run clockwise from the right, and so anticlockwise from the left.
        return [self._face(points if side < 0 else points[::-1], material, facing, least)
                for points, material, least in shapes]

    def _end(self, nose: bool) -> list[Face]:
        """Return panel, bumper, plate, lamps and tyres of one end."""
        x = self.length if nose else 0.0
        top = self.outline[-1 if nose else 0, 1]
        half, facing = self.width / 2, NOSE if nose else BACK
        rise = top - FLOOR

        def patch(left, right, low, high, material, least, light=facing):
            """Return a rectangle on the end; 0..1 from left to right and from sill to top."""
            across = [(2 * v - 1) * half for v in (left, right)]
            up = [FLOOR + rise * v for v in (low, high)]
            out = x + (0.01 if nose else -0.01)
            points = [(out, across[0], up[0]), (out, across[1], up[0]), (out, across[1], up[1]),
                      (out, across[0], up[1])]
            return self._face(points[::-1] if nose else points, material, light, least)

        lamp = 'head_lamp' if nose else 'tail_lamp'
        tyre = -FLOOR / rise
        faces = [patch(0.03, 0.15, tyre, 0.1, 'tyre', 10.0),
                 patch(0.85, 0.97, tyre, 0.1, 'tyre', 10.0),
                 patch(0.0, 1.0, 0.0, 1.0, 'paint', 0.0),
                 patch(0.0, 1.0, 0.0, 0.28, 'bumper', 10.0)]
        if nose:
            faces.append(patch(0.28, 0.72, 0.42, 0.7, 'sill', 10.0))
        faces += [patch(0.38, 0.62, 0.24, 0.42, 'front_plate' if nose else 'rear_plate', 11.0),
                  patch(0.02, 0.20, 0.58, 0.86, lamp, 6.0, GLOW),
                  patch(0.80, 0.98, 0.58, 0.86, lamp, 6.0, GLOW)]
        return faces


@dataclass(frozen=True)
class Vehicle(Thing):
    """
    A vehicle at one time.

    ``s`` is its end nearer to the start of the road, ``ahead`` whether its nose points along the
    road, and ``lights`` whether its lamps are on, brake lamps if it drives ahead.
    """

    s: float
    d: float
    model: VehicleModel
    paint: tuple[float, ...]
    ahead: bool
    lights: bool = False
    anchor = (-4, -2)
    reach = 110.0

    @cached_property
    def road(self) -> np.ndarray:
        """Return the points in road coordinates, float64 ``[N, 3]``."""
        model = self.model
        way = 1 if self.ahead else -1
        start = self.s if self.ahead else self.s + model.length
        half, end = model.width / 2 + 0.05, self.s + model.length + 0.1
        under = [(self.s - 0.1, self.d - half, 0), (self.s - 0.1, self.d + half, 0),
                 (end, self.d + half, 0), (end, self.d - half, 0)]
        return np.concatenate([model.points * (way, way, 1) + (start, self.d, 0), under])

    def shadow(self, camera: np.ndarray, cast: np.ndarray) -> np.ndarray:
        """Return the shadow on the ground, a polygon in camera coordinates."""
        return camera[-4:] + np.clip(cast * self.model.height, -1.6, 1.6)

    def contact(self, camera: np.ndarray) -> np.ndarray:
        """Return the contact shadow, a polygon in camera coordinates."""
        return camera[-4:]

    def draw(self, canvas: Canvas, light: Light, projected: ProjectedPoints) -> None:
        """Draw image and label."""
        camera, model = projected.camera, self.model
        distance = max(float(camera[0, 2]), 1.0)
        size = model.height * canvas.view.focal / distance
        low, high = camera[-4].tolist(), camera[-1].tolist()
        heading = canvas.view.azimuth + math.atan2(high[0] - low[0], high[2] - low[2])
        heading += 0 if self.ahead else math.pi
        level = light.open_ground
        back, nose, left, right = (light.brightness(heading + turn) for turn in (
            math.pi, 0, -math.pi / 2, math.pi / 2))
        lamps = 1.3 if self.lights else back if self.ahead else nose
        lit = (back, nose, left, right, level, (back + level) / 2, (nose + level) / 2,
               lamps)
        tones = {}
        albedo = self._materials
        faces = [face for face in (model.faces if self.ahead else model.turned)
                 if face.least <= size]
        corners = camera[np.array([face.index[:3] for face in faces])]
        # A face is visible if its first corners run anticlockwise from the camera.
        shown = np.linalg.det(corners) > 0
        for face, visible in zip(faces, shown.tolist()):
            if visible:
                if face.facing not in tones:
                    tones[face.facing] = light.tone(lit[face.facing], distance)
                colour = tones[face.facing].colour(albedo[face.material])
                canvas.polygon(projected, face.index, colour, CAR)

    @cached_property
    def _materials(self) -> dict[str, tuple[float, ...]]:
        paint = self.paint
        return dict(zip(MATERIALS, (
            paint, (44, 52, 60), (74, 86, 98), tuple(0.3 * c + 12 for c in paint),
            tuple(0.55 * c + 10 for c in paint), (26, 26, 28), (128, 130, 134), (222, 214, 120),
            (230, 230, 226), (235, 40, 34) if self.lights else (150, 26, 26),
            (244, 244, 232) if self.lights else (186, 190, 194))))
