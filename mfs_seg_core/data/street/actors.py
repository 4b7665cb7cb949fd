# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Moving objects, whose positions are closed forms of seed and time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from mfs_seg_core.data.street.camera import CameraView, Waves
from mfs_seg_core.data.street.ground import Profile
from mfs_seg_core.data.street.layout import OFFSET, Art, paint
from mfs_seg_core.data.street.things import Rider, Walker
from mfs_seg_core.data.street.vehicles import Vehicle

# Interval at which another car drives ahead, in seconds.
LEAD_SECONDS = 36.0


class Stream:
    """
    Endless row of moving objects with one speed, about ``spacing`` metres apart.

    Object k is at ``k * spacing + offset[k] + speed * time``, so that objects never collide.
    """

    def __init__(self, seed: int, tag: int, spacing: float, speed: float, chance: float):
        self.seed, self.tag, self.spacing, self.speed = seed, tag, spacing, speed
        self.chance = chance
        self.kept: dict[int, tuple] = {}

    def near(self, view: CameraView, reach: float, draw: Callable) -> Iterator[tuple[float, tuple]]:
        """
        Find the objects near the camera.

        :param view: the camera.
        :param reach: distance ahead of the camera to search, in metres.
        :param draw: draws the appearance of an object from a generator; called once per object.
        :yields: position in metres along the road, and appearance.
        """
        moved = self.speed * view.time_s
        first = math.floor((view.s - 15 - moved) / self.spacing) - 1
        last = math.ceil((view.s + reach - moved) / self.spacing)
        if len(self.kept) > 4 * (last - first):
            self.kept.clear()
        for number in range(first, last + 1):
            if number not in self.kept:
                rng = np.random.default_rng((self.seed, self.tag, number + OFFSET))
                offset = rng.uniform(0, 0.5) * self.spacing
                self.kept[number] = (rng.random() < self.chance, offset, draw(rng))
            exists, offset, appearance = self.kept[number]
            if exists:
                yield number * self.spacing + offset + moved, appearance


class Traffic:
    """Cars, cyclists and pedestrians of one drive."""

    def __init__(self, seed: int, rng: np.random.Generator, profile: Profile, art: Art):
        self.seed, self.profile, self.art = seed, profile, art
        busy = rng.uniform(0.35, 0.9)
        self.lamps = rng.choice([0.2, 1.0])
        self.oncoming = Stream(seed, 11, rng.uniform(22, 40), -rng.uniform(6, 12), busy)
        self.gap = Waves(rng, [5.0, 2.5], [23.0, 11.0])
        self.riders = [Stream(seed, 20 + i, rng.uniform(13, 26), rng.uniform(3.0, 5.5) * way,
                              rng.uniform(0.4, 0.85))
                       for i, way in enumerate((-profile.side, profile.side))]
        self.walkers = [(i, Stream(seed, 30 + 2 * i + j, rng.uniform(5, 15),
                                   rng.uniform(1.0, 1.6) * way, rng.uniform(0.4, 0.95)))
                        for i in range(2) for j, way in enumerate((-1, 1))]

    def present(self, view: CameraView) -> list:
        """Return the moving objects near the camera at the time of the view."""
        return [*self._cars(view), *self._riders(view), *self._walkers(view)]

    def _cars(self, view: CameraView) -> Iterator[Vehicle]:
        lane = self.profile.side * self.profile.lane / 2
        for s, (model, colour, shift, lights) in self.oncoming.near(view, Vehicle.reach, self._car):
            yield Vehicle(s, -lane + shift, model, colour, False, lights)
        turn, part = divmod(view.time_s, LEAD_SECONDS)
        rng = np.random.default_rng((self.seed, 12, int(turn)))
        model = self.art.models[rng.integers(len(self.art.models))]
        if rng.random() < 0.75:
            # The gap to the car shrinks from far ahead, and grows again at the end.
            away = (2 * part / LEAD_SECONDS - 1) ** 4
            gap = rng.uniform(14, 30) + float(self.gap(view.time_s)) + 170 * away
            braking = float(self.gap.slope(view.time_s)) < -0.9
            yield Vehicle(view.s + gap, lane + rng.uniform(-0.2, 0.2), model, paint(rng), True,
                          braking)

    def _car(self, rng: np.random.Generator) -> tuple:
        return (self.art.models[rng.integers(len(self.art.models))], paint(rng),
                float(rng.uniform(-0.2, 0.2)), bool(rng.random() < self.lamps))

    def _riders(self, view: CameraView) -> Iterator[Rider]:
        for i, stream in enumerate(self.riders):
            side = 2 * i - 1
            edge = self.profile.edge[i] - 2.1 * self.profile.parking[i]

            def appearance(rng):
                return (self.art.cyclists[rng.integers(len(self.art.cyclists))],
                        rng.uniform(0.25, 0.5), rng.uniform(1.65, 1.85), rng.random() < 0.5)

            for s, (cyclist, inward, height, flip) in stream.near(view, Walker.reach, appearance):
                yield Rider(s, side * (edge - inward), cyclist, height, s / 5.0 % 1, flip)

    def _walkers(self, view: CameraView) -> Iterator[Walker]:
        for i, stream in self.walkers:
            side = 2 * i - 1
            edge, wide = self.profile.edge[i], self.profile.pavement[i]

            def appearance(rng, wide=wide):
                return (self.art.people[rng.integers(len(self.art.people))],
                        rng.uniform(0.75, wide - 0.3), rng.uniform(1.5, 1.9))

            for s, (person, inward, height) in stream.near(view, Walker.reach, appearance):
                yield Walker(s, side * (edge + inward), person, height, s / 1.5 % 1,
                             stream.speed > 0)
