# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Static objects along the road, generated in chunks from the seed and the number of the chunk."""

from __future__ import annotations

import numpy as np

from mfs_seg_core.data.street.classes import FENCE, TREE
from mfs_seg_core.data.street.ground import Profile
from mfs_seg_core.data.street.sprites import PHASES, SIGNS, Cyclist, Person, sign
from mfs_seg_core.data.street.textures import Facade, fence, foliage, hedge
from mfs_seg_core.data.street.things import Building, Panel, Post, Tree, Walker
from mfs_seg_core.data.street.vehicles import PAINTS, Vehicle, VehicleModel

# Length of a chunk, in metres.
CHUNK = 48.0
# Added to chunk numbers, as seeds must not be negative.
OFFSET = 1 << 20
PLATES = {'signal': (0.34, 0.95, 2.9), 'board': (1.9, 0.95, 2.7), 'triangle': (0.85, 0.85, 2.4),
          'round': (0.75, 0.75, 2.4), 'blue': (0.7, 0.7, 2.2), 'square': (0.7, 0.7, 2.3)}


class Art:
    """Textures, people and vehicles of one drive."""

    def __init__(self, rng: np.random.Generator):
        self.low = [Facade(rng, int(rng.integers(2, 4)), int(rng.integers(2, 5)))
                    for _ in range(6)]
        self.high = [Facade(rng, int(rng.integers(3, 6)), int(rng.integers(3, 6)))
                     for _ in range(4)]
        self.trees = [foliage(rng) for _ in range(6)]
        self.fences = [fence(rng, kind) for kind in ('boards', 'rails', 'rails')]
        self.hedges = [hedge(rng) for _ in range(2)]
        self.people = [Person(rng) for _ in range(7)]
        self.cyclists = [Cyclist(rng) for _ in range(4)]
        self.signs = [(sign(rng, kind), *PLATES[kind]) for kind in SIGNS + ('signal', 'board')]
        self.models = [VehicleModel(rng) for _ in range(7)]
        self.metal = tuple(rng.uniform(60, 150) + rng.normal(0, 5, 3))


def paint(rng: np.random.Generator) -> tuple[float, ...]:
    """Draw the colour of a car."""
    colour = np.array(PAINTS[rng.integers(len(PAINTS))]) * rng.uniform(0.8, 1.1)
    return tuple(np.clip(colour + rng.normal(0, 6, 3), 8, 245).tolist())


class StreetLayout:
    """Static objects of the road, with a cache of the chunks around the last section."""

    def __init__(self, seed: int, profile: Profile, art: Art):
        self.seed, self.profile, self.art = seed, profile, art
        self.chunks: dict[int, tuple[list, list[float]]] = {}

    def between(self, start: float, end: float) -> tuple[list, list[float]]:
        """Return objects and crossings from ``start`` to ``end``, in metres along the road."""
        things, crossings = [], []
        first, last = int(start // CHUNK), int(end // CHUNK)
        for index in range(first, last + 1):
            if index not in self.chunks:
                self.chunks[index] = self._generate(index)
            things += self.chunks[index][0]
            crossings += self.chunks[index][1]
        for index in [i for i in self.chunks if not first - 2 <= i <= last + 2]:
            del self.chunks[index]
        return things, crossings

    def _generate(self, index: int) -> tuple[list, list[float]]:
        rng = np.random.default_rng((self.seed, 1, index + OFFSET))
        start = index * CHUNK
        crossings = [start + rng.uniform(8, 40)] if rng.random() < 0.22 else []
        things: list = []
        for side in (-1, 1):
            # Pairs of chunks have the same kind of buildings.
            kind = np.random.default_rng((self.seed, 2, side + 1, index // 2 + OFFSET)).choice(
                ['terrace', 'houses', 'blocks', 'park'], p=[0.40, 0.26, 0.20, 0.14])
            i = (side + 1) // 2
            edge = self.profile.edge[i]
            back = edge + self.profile.pavement[i]
            things += getattr(self, '_' + str(kind))(rng, start, side, back)
            things += self._furniture(rng, start, side, edge, back, crossings)
            if self.profile.parking[i]:
                things += self._parked(rng, start, side, edge, crossings)
        return things, crossings

    def _row(self, rng, start, side, d, facades, gap, gable) -> list:
        things, s = [], start + rng.uniform(0, 1 + gap)
        while True:
            facade = facades[rng.integers(len(facades))]
            if s + facade.width > start + CHUNK:
                return things
            tint = tuple((rng.uniform(0.86, 1.1) * (1 + rng.normal(0, 0.04, 3))).tolist())
            things.append(Building(s, side * (d + rng.uniform(0, 0.4 + gap / 4)), facade,
                                   rng.uniform(8, 13), tint,
                                   rng.uniform(2, 3.8) if rng.random() < gable else 0.0,
                                   gap == 0 and bool(things)))
            s += facade.width + gap * rng.uniform(0.3, 1.2)

    def _terrace(self, rng, start, side, back) -> list:
        things = self._row(rng, start, side, back + rng.uniform(0.1, 1.5), self.art.low, 0.0, 0.6)
        if rng.random() < 0.25:
            things += self._panels(rng, start, side, back, self.art.fences, FENCE, 0.95)
        return things + self._street_trees(rng, start, side, back, 0.35)

    def _blocks(self, rng, start, side, back) -> list:
        things = self._row(rng, start, side, back + rng.uniform(0.5, 4), self.art.high, 1.5, 0.1)
        things += self._street_trees(rng, start, side, back, 0.5)
        if rng.random() < 0.4:
            things += self._panels(rng, start, side, back, self.art.fences, FENCE, 1.1)
        return things

    def _houses(self, rng, start, side, back) -> list:
        setback = rng.uniform(3, 6.5)
        things = self._row(rng, start, side, back + setback, self.art.low, 4.0, 0.95)
        if rng.random() < 0.76:
            things += self._panels(rng, start, side, back, self.art.fences, FENCE,
                                   rng.uniform(0.9, 1.7))
        else:
            things += self._panels(rng, start, side, back, self.art.hedges, TREE,
                                   rng.uniform(0.9, 2.0))
        for _ in range(rng.integers(2, 6)):
            things.append(self._tree(rng, start + rng.uniform(0, CHUNK),
                                     side * (back + rng.uniform(0.9, setback - 1)), 2.5, 7))
        for _ in range(rng.integers(1, 4)):
            things.append(self._tree(rng, start + rng.uniform(0, CHUNK),
                                     side * (back + setback + rng.uniform(10, 16)), 7, 13))
        return things + self._street_trees(rng, start, side, back, 0.25)

    def _park(self, rng, start, side, back) -> list:
        things = []
        if rng.random() < 0.75:
            things += self._panels(rng, start, side, back, self.art.fences, FENCE,
                                   rng.uniform(1.0, 1.9))
        for near, far, count, low, high in ((1, 6, 5, 4, 9), (6, 14, 6, 6, 12), (16, 26, 6, 8, 14)):
            for _ in range(count):
                things.append(self._tree(rng, start + rng.uniform(0, CHUNK),
                                         side * (back + rng.uniform(near, far)), low, high))
        return things

    def _street_trees(self, rng, start, side, back, chance) -> list:
        if rng.random() > chance:
            return []
        edge = self.profile.edge[(side + 1) // 2]
        step = rng.uniform(8, 15)
        return [self._tree(rng, s, side * (edge + 0.7), 4.5, 8.5)
                for s in np.arange(start + rng.uniform(1, 6), start + CHUNK, step)]

    def _tree(self, rng, s, d, low, high) -> Tree:
        return Tree(float(s), float(d), self.art.trees[rng.integers(len(self.art.trees))],
                    float(rng.uniform(low, high)), bool(rng.random() < 0.5))

    def _panels(self, rng, start, side, d, textures, class_id, height) -> list:
        texture = textures[rng.integers(len(textures))]
        gate = rng.integers(12) if rng.random() < 0.8 else -1
        return [Panel(s, s + 4, side * d, height, texture, class_id)
                for i, s in enumerate(start + 4.0 * np.arange(12)) if i != gate]

    def _furniture(self, rng, start, side, edge, back, crossings) -> list:
        things: list = []
        kerb = side * (edge + 0.5)
        metal = self.art.metal
        lamp = start + (rng.uniform(4, 10) if side > 0 else rng.uniform(14, 22))
        tall = rng.uniform(5.5, 8)
        for s in (lamp, lamp + 24):
            things.append(Post(s, kerb, tall, 0.17, metal, arm=rng.uniform(1.0, 2.2)))
        for s in start + rng.uniform(0, CHUNK, rng.integers(1, 5)):
            plate = self.art.signs[1:][rng.integers(len(self.art.signs) - 1)]
            plates = [plate]
            if plate[1] < 1 and rng.random() < 0.3:
                texture, wide, tall, middle = self.art.signs[2 + rng.integers(4)]
                plates.append((texture, wide, tall, plate[3] - plate[2] / 2 - tall / 2 - 0.05))
            things.append(Post(float(s), kerb + side * rng.uniform(0, 0.4), plate[3] + 0.1, 0.10,
                               metal, plates=tuple(plates)))
        if rng.random() < 0.3:
            # Telegraph poles.
            things.append(Post(start + rng.uniform(0, CHUNK), side * (back - 0.2),
                               rng.uniform(7, 9), 0.24, (104, 84, 64)))
        for place in crossings:
            things.append(Post(place - 2.2, kerb, 3.4, 0.14, (60, 62, 64),
                               plates=(self.art.signs[0],)))
            if rng.random() < 0.6:
                rail = self.art.fences[1 + rng.integers(2)]
                for s in place + np.array([-15, -11, -7, 3, 7, 11]):
                    things.append(Panel(s, s + 4, side * (edge + 0.32), 1.0, rail, FENCE))
        if rng.random() < 0.2:
            things += [Panel(s, s + 4, side * (edge + 0.32), 1.0, self.art.fences[1], FENCE)
                       for s in start + rng.uniform(0, 20) + 4.0 * np.arange(6)]
        if rng.random() < 0.25:
            first = start + rng.uniform(0, 30)
            for s in first + 2.2 * np.arange(7):
                things.append(Post(float(s), side * (edge + 0.4), 0.95, 0.16,
                                   tuple(0.7 * c for c in metal)))
        for _ in range(rng.integers(0, 3)):
            person = self.art.people[rng.integers(len(self.art.people))]
            things.append(Walker(start + rng.uniform(0, CHUNK),
                                 side * rng.uniform(edge + 0.7, back - 0.3), person,
                                 rng.uniform(1.55, 1.88), 0.5 / PHASES,
                                 bool(rng.random() < 0.5)))
        return things

    def _parked(self, rng, start, side, edge, crossings) -> list:
        things, s = [], start + rng.uniform(0, 3)
        busy = rng.uniform(0.35, 0.95)
        while True:
            model = self.art.models[rng.integers(len(self.art.models))]
            if s + model.length + 0.5 > start + CHUNK:
                return things
            clear = all(abs(s + model.length / 2 - place) > 9 for place in crossings)
            if rng.random() < busy and clear and model.length < 7:
                things.append(Vehicle(s, side * (edge - 1.08), model, paint(rng),
                                      side == self.profile.side))
            s += model.length + rng.uniform(0.7, 1.6)
