# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Buildings, fences, trees, poles and people along the road."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mfs_seg_core.data.street.canvas import Canvas, ProjectedPoints, Texture
from mfs_seg_core.data.street.classes import BICYCLIST, BUILDING, PEDESTRIAN, POLE, SIGN, TREE
from mfs_seg_core.data.street.light import Light
from mfs_seg_core.data.street.sprites import PHASES, Cyclist, Person
from mfs_seg_core.data.street.textures import Facade
from mfs_seg_core.data.street.thing import RING, Thing, Upright

# Distance from which roofs are drawn without texture, in metres.
DETAIL = 45.0
FRONT, END = np.array([0, 1, 2, 3]), np.array([0, 4, 5, 3])
ROOF, GABLE = np.array([8, 9, 7, 6]), np.array([3, 5, 6])


@dataclass(frozen=True)
class Building(Thing):
    """A house or block: front at the road, the end towards the camera, and the roof."""

    s: float
    d: float
    facade: Facade
    depth: float
    tint: tuple[float, ...]
    gable: float
    attached: bool
    # The far end, so that objects in front of any part of the front are drawn later.
    anchor = (1, 1)

    @cached_property
    def road(self) -> np.ndarray:
        """Return the points in road coordinates, float64 ``[N, 3]``."""
        side = math.copysign(1, self.d)
        near, far, top = self.s, self.s + self.facade.width, self.facade.height
        back, ridge = self.d + side * self.depth, self.d + side * self.depth / 2
        eave = self.d - side * 0.35
        peak = top + self.gable
        return np.array([
            (near, self.d, 0), (far, self.d, 0), (far, self.d, top), (near, self.d, top),
            (near, back, 0), (near, back, top), (near, ridge, peak), (far, ridge, peak),
            (near - 0.25, eave, top - 0.1), (far + 0.25, eave, top - 0.1)])

    def shadow(self, camera: np.ndarray, cast: np.ndarray) -> np.ndarray:
        """Return the shadow on the ground, a polygon in camera coordinates."""
        near, far = camera[:2]
        push = cast * self.facade.height
        return np.array([near, far, far + push, near + push])

    def draw(self, canvas: Canvas, light: Light, projected: ProjectedPoints) -> None:
        """Draw image and label."""
        facade, camera = self.facade, projected.camera
        side = math.copysign(1, self.d)
        near, far = camera[:2].tolist()
        heading = canvas.view.azimuth + math.atan2(far[0] - near[0], far[2] - near[2])
        distance = max(math.hypot(near[0], max(near[2], 0)), 2.0)
        middle = max(math.hypot((near[0] + far[0]) / 2, max((near[2] + far[2]) / 2, 0)), 2.0)
        if self.gable:
            tone = light.tone(light.open_ground * 0.9, middle, self.tint)
            if middle < DETAIL:
                canvas.plane(facade.roof, projected, ROOF, tone, BUILDING)
            else:
                canvas.polygon(projected, ROOF, tone.colour(facade.roof.mean), BUILDING)
        if canvas.view.s < self.s:
            tone = light.tone(light.brightness(heading + math.pi), distance, self.tint)
            if self.attached or distance > 1.5 * DETAIL:
                # The neighbouring building or haze hides most of it.
                canvas.polygon(projected, END, tone.colour(facade.side.mean), BUILDING)
            else:
                canvas.plane(facade.side, projected, END, tone, BUILDING)
            if self.gable:
                canvas.polygon(projected, GABLE, tone.colour(facade.side.mean), BUILDING)
        front = light.brightness(heading - side * math.pi / 2)
        canvas.plane(facade.texture, projected, FRONT,
                     light.tone(front, middle, self.tint), BUILDING)


@dataclass(frozen=True)
class Panel(Thing):
    """A panel of fence or hedge along the road."""

    s: float
    end: float
    d: float
    height: float
    texture: Texture
    class_id: int
    anchor = (0, 1)
    reach = 100.0

    @cached_property
    def road(self) -> np.ndarray:
        """Return the points in road coordinates, float64 ``[N, 3]``."""
        return np.array([(self.s, self.d, 0), (self.end, self.d, 0),
                         (self.end, self.d, self.height), (self.s, self.d, self.height)])

    def shadow(self, camera: np.ndarray, cast: np.ndarray) -> np.ndarray:
        """Return the shadow on the ground, a polygon in camera coordinates."""
        near, far = camera[:2]
        push = cast * self.height
        return np.array([near, far, far + push, near + push])

    def draw(self, canvas: Canvas, light: Light, projected: ProjectedPoints) -> None:
        """Draw image and label."""
        near, far = projected.camera[:2].tolist()
        heading = canvas.view.azimuth + math.atan2(far[0] - near[0], far[2] - near[2])
        bright = light.brightness(heading - math.copysign(math.pi / 2, self.d))
        canvas.plane(self.texture, projected, FRONT, light.tone(bright, max(near[2], 2.0)),
                     self.class_id)


@dataclass(frozen=True)
class Tree(Upright):
    """A tree or bush, drawn as one sprite."""

    s: float
    d: float
    texture: Texture
    height: float
    flip: bool
    reach = 130.0

    @property
    def half(self) -> float:
        """Half of the width, in metres."""
        return self.height * 0.375

    def shadow(self, camera: np.ndarray, cast: np.ndarray) -> np.ndarray:
        """Return the shadow on the ground, a polygon in camera coordinates."""
        ring = RING * (self.height * 0.3)
        spread = np.sign(ring @ cast)[:, None] * cast * (self.height * 0.3)
        return camera[0] + cast * (self.height * 0.65) + ring + spread

    def draw(self, canvas: Canvas, light: Light, projected: ProjectedPoints) -> None:
        """Draw image and label."""
        foot = projected.camera[0]
        bright = light.ambient * 0.9 + light.sun * 0.32
        canvas.sprite(self.texture, foot, (self.height * 0.75, self.height),
                      light.tone(bright, foot[2]), TREE, self.flip)


# Indices of the points of a post: its dark side, its lit half, its arm and its lamp.
DARK, PALE = np.array([1, 2, 3, 4]), np.array([1, 0, 5, 4])
ARM, LAMP = np.array([6, 7, 8, 9]), np.array([10, 11, 8, 12])


@dataclass(frozen=True)
class Post(Upright):
    """
    A pole, possibly with a street lamp on an arm, sign plates or a signal head.

    ``arm`` is the length of the arm over the road in metres, 0 for none. ``plates`` are textures,
    each with width, height and height of the centre above the ground, in metres.
    """

    s: float
    d: float
    height: float
    thick: float
    albedo: tuple[float, ...]
    arm: float = 0.0
    plates: tuple[tuple[Texture, float, float, float], ...] = ()
    reach = 80.0

    @property
    def half(self) -> float:
        """Half of the width, in metres."""
        return self.thick / 2

    @cached_property
    def road(self) -> np.ndarray:
        """Return the points in road coordinates, float64 ``[N, 3]``."""
        s, d, top, thick = self.s, self.d, self.height, self.thick * 0.45
        tip = d - math.copysign(self.arm, d)
        head = tip - (tip - d) * 0.3
        points = [*super().road.tolist(), (s, d, top)]
        if self.arm:
            end = top + 0.3
            points += [(s, d, top - thick), (s, tip, end - thick), (s, tip, end + thick),
                       (s, d, top + thick), (s, head, top + 0.2 - thick * 2),
                       (s, tip, end - thick * 2), (s, head, end + thick)]
        for _, wide, tall, middle in self.plates:
            points += [(s, d - wide / 2, middle + tall / 2), (s, d + wide / 2, middle)]
        return np.array(points)

    def draw(self, canvas: Canvas, light: Light, projected: ProjectedPoints) -> None:
        """Draw image and label."""
        foot = projected.camera[0]
        distance = float(foot[2])
        bright = light.ambient * 0.85 + light.sun * 0.3
        dark = light.tone(bright * 0.8, distance).colour(self.albedo)
        pale = light.tone(bright * 1.15, distance).colour(self.albedo)
        canvas.polygon(projected, DARK, dark, POLE)
        canvas.polygon(projected, PALE, pale, POLE)
        if self.arm:
            canvas.polygon(projected, ARM, dark, POLE)
            canvas.polygon(projected, LAMP, pale, POLE)
        for texture, wide, tall, middle in self.plates:
            bottom = foot + (0, middle - tall / 2, -0.03)
            canvas.sprite(texture, bottom, (wide, tall), light.tone(bright * 1.1, distance), SIGN)


@dataclass(frozen=True)
class Walker(Upright):
    """A pedestrian at one time."""

    s: float
    d: float
    person: Person | Cyclist
    height: float
    stride: float
    flip: bool
    class_id = PEDESTRIAN
    width = 0.5
    reach = 65.0

    @property
    def half(self) -> float:
        """Half of the width, in metres."""
        return 0.22

    def contact(self, camera: np.ndarray) -> np.ndarray:
        """Return the contact shadow, a polygon in camera coordinates."""
        return camera[0] + RING * 0.28

    def draw(self, canvas: Canvas, light: Light, projected: ProjectedPoints) -> None:
        """Draw image and label."""
        foot = projected.camera[0]
        phase = int(self.stride * PHASES) % PHASES
        bright = light.ambient * 0.9 + light.sun * 0.3
        canvas.sprite(self.person.phases[phase], foot, (self.height * self.width, self.height),
                      light.tone(bright, foot[2]), self.class_id, self.flip)


@dataclass(frozen=True)
class Rider(Walker):
    """A cyclist at one time."""

    class_id = BICYCLIST
    width = 0.5625
