# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Textures of walls, roofs, ground, fences and foliage, made from noise."""

from __future__ import annotations

import cv2
import numpy as np

from mfs_seg_core.data.street.canvas import Texture

# Texels per metre on walls.
WALL_SCALE = 22


def noise(rng: np.random.Generator, size: int, cells: int, octaves: int = 4) -> np.ndarray:
    """Draw periodic fractal noise, float32 ``[size, size]``, mean 0, standard deviation 1."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        count = min(cells << octave, size)
        grid = rng.normal(0, 1, (count, count)).astype(np.float32)
        step = size // count
        grown = cv2.resize(np.pad(grid, 2, mode='wrap'), None, fx=step, fy=step,
                           interpolation=cv2.INTER_CUBIC)
        edge = 2 * step
        total += grown[edge:edge + size, edge:edge + size] / (1.6 ** octave)
    return (total - total.mean()) / total.std()


def speckle(rng: np.random.Generator, colour, height: int, width: int, spread: float
            ) -> np.ndarray:
    """Draw a surface of one colour with blotches and grain, float32 ``[height, width, 3]``."""
    coarse = rng.normal(0, 1, (height // 24 + 2, width // 24 + 2)).astype(np.float32)
    blotch = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0, 1, (height, width)).astype(np.float32)
    surface = 1 + spread * (0.6 * blotch + 0.6 * grain)
    return surface[..., None] * np.asarray(colour, np.float32)


WALLS = [(150, 88, 66), (168, 112, 82), (120, 76, 62), (186, 160, 116), (205, 196, 178),
         (222, 214, 200), (150, 148, 146), (116, 118, 124), (196, 176, 150), (176, 150, 138),
         (140, 150, 160), (92, 88, 86), (200, 190, 140), (170, 184, 190)]
FRAMES = [(235, 235, 230), (60, 58, 56), (120, 84, 60), (200, 198, 190), (40, 60, 50)]


def wall(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Draw a wall of bricks, plaster or slabs, float32 ``[height, width, 3]``."""
    colour = np.array(WALLS[rng.integers(len(WALLS))]) * rng.uniform(0.8, 1.1)
    colour = colour + rng.normal(0, 8, 3)
    surface = speckle(rng, colour, height, width, rng.uniform(0.03, 0.09))
    kind = rng.integers(3)
    if kind == 0:
        surface[::4] *= 0.86
        bricks = rng.normal(1, 0.08, (height // 4 + 1, width // 6 + 1, 1)).astype(np.float32)
        surface *= np.repeat(np.repeat(bricks, 4, 0), 6, 1)[:height, :width]
    elif kind == 1:
        step = int(rng.integers(24, 60))
        surface[::step] *= 0.75
        surface[:, ::step * 2] *= 0.8
    return surface


class Facade:
    """
    Textures of one building: front, side wall with few windows or none, and roof.

    ``width`` and ``height`` of the front are in metres.
    """

    def __init__(self, rng: np.random.Generator, floors: int, bays: int):
        bay = rng.uniform(2.3, 3.6)
        floor = rng.uniform(2.8, 3.6)
        self.floors = floors
        self.width, self.height = bays * bay, floors * floor + rng.uniform(0.4, 1.2)
        rows, columns = int(self.height * WALL_SCALE), int(self.width * WALL_SCALE)
        image = wall(rng, rows, columns)
        side = image[:, ::-1][:, :min(columns, 220)].copy() * 0.97
        style = _WindowStyle(rng)
        shop = floors > 1 and rng.random() < 0.45
        door = int(rng.integers(bays))
        for level in range(floors):
            ground = rows - int(level * floor * WALL_SCALE)
            for index in range(bays):
                left = int((index + 0.5) * bay * WALL_SCALE)
                if level == 0 and shop:
                    _shop(rng, image, left, ground, bay, floor)
                elif level == 0 and index == door:
                    _door(rng, image, left, ground)
                else:
                    style.draw(rng, image, left, ground, bay, floor)
        if shop:
            _fascia(rng, image, rows - int((floor - 0.1) * WALL_SCALE), columns)
        image[:int(0.3 * WALL_SCALE)] *= rng.uniform(0.6, 1.25)
        image[-int(0.3 * WALL_SCALE):] *= 0.75
        if rng.random() < 0.6 and floors > 1:
            style.draw(rng, side, side.shape[1] // 2, rows - int(floor * WALL_SCALE), bay, floor)
        self.texture = Texture(_bytes(image))
        self.side = Texture(_bytes(side))
        self.roof = Texture(_bytes(tiles(rng)))


class _WindowStyle:
    """Windows of one building."""

    def __init__(self, rng: np.random.Generator):
        self.wide = rng.uniform(0.9, 1.9)
        self.tall = rng.uniform(1.2, 1.9)
        self.sill = rng.uniform(0.5, 1.0)
        self.frame = np.array(FRAMES[rng.integers(len(FRAMES))]) * rng.uniform(0.85, 1.05)
        self.bars = int(rng.integers(0, 3))
        self.lintel = rng.uniform(0.7, 1.3)

    def draw(self, rng, image, middle: int, ground: int, bay: float, floor: float) -> None:
        scale = WALL_SCALE
        half = int(min(self.wide, bay * 0.8) * scale / 2)
        bottom = ground - int(self.sill * scale)
        top = bottom - int(min(self.tall, floor - self.sill - 0.3) * scale)
        left, right = max(middle - half, 0), middle + half
        if top < 1 or bottom <= top:
            return
        image[top - 1:bottom + 3, left - 2 if left > 1 else 0:right + 2] *= self.lintel
        image[top:bottom, left:right] = self.frame
        image[top + 2:bottom - 2, left + 2:right - 2] = glass(
            rng, bottom - top - 4, right - left - 4)
        for bar in range(1, self.bars + 1):
            at = left + (right - left) * bar // (self.bars + 1)
            image[top:bottom, at:at + 2] = self.frame
        if self.bars:
            image[(top + bottom) // 2, left:right] = self.frame
        image[bottom:bottom + 2, left - 2 if left > 1 else 0:right + 2] = self.frame * 0.9


def glass(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Draw a dark window pane, with a reflection of the sky or a curtain at times."""
    ramp = np.linspace(1.4, 0.7, max(height, 1))[:, None, None]
    base = np.array([52, 60, 70]) * rng.uniform(0.5, 1.6) + rng.normal(0, 6, 3)
    pane = np.broadcast_to(ramp * base, (max(height, 1), max(width, 1), 3)).copy()
    if rng.random() < 0.35:
        pane[:int(height * rng.uniform(0.15, 0.7))] = np.array([190, 184, 170]) * rng.uniform(
            0.6, 1.05)
    if rng.random() < 0.3:
        pane += 55 * rng.random() * np.linspace(0, 1, pane.shape[1])[None, :, None]
    return pane[:height, :width]


def _door(rng, image, middle: int, ground: int) -> None:
    colour = rng.uniform(30, 150, 3)
    half, top = int(0.5 * WALL_SCALE), ground - int(2.2 * WALL_SCALE)
    image[top - 3:ground, middle - half - 3:middle + half + 3] = colour * 0.4 + 120
    image[top:ground, middle - half:middle + half] = colour
    image[top:top + 8, middle - half + 2:middle + half - 2] = (60, 66, 74)


def _shop(rng, image, middle: int, ground: int, bay: float, floor: float) -> None:
    half = int(bay * 0.45 * WALL_SCALE)
    top, bottom = ground - int((floor - 0.8) * WALL_SCALE), ground - int(0.35 * WALL_SCALE)
    left = max(middle - half, 0)
    pane = image[top:bottom, left:middle + half]
    pane[:] = glass(rng, *pane.shape[:2])
    for _ in range(int(rng.integers(3, 9))):
        x, y = rng.integers(0, pane.shape[1]), rng.integers(pane.shape[0] // 2, pane.shape[0])
        pane[y:y + rng.integers(3, 18), x:x + rng.integers(3, 14)] = rng.uniform(30, 220, 3)


def _fascia(rng, image, top: int, columns: int) -> None:
    colour = rng.uniform(30, 200, 3)
    bottom = top + int(0.65 * WALL_SCALE)
    image[top:bottom] = colour
    x = int(rng.integers(6, 30))
    while x < columns - 20:
        end = x + int(rng.integers(3, 9))
        image[top + 4:bottom - 4, x:end] = 255 - colour
        x = end + int(rng.choice([2, 3, 30], p=[0.5, 0.4, 0.1]))


def tiles(rng: np.random.Generator) -> np.ndarray:
    """Draw roof tiles, float32 ``[96, 192, 3]``."""
    colours = [(122, 74, 58), (88, 84, 86), (104, 92, 82), (140, 96, 76), (70, 74, 82)]
    surface = speckle(rng, colours[rng.integers(len(colours))], 96, 192, 0.1)
    surface[::6] *= 0.75
    return surface


def fence(rng: np.random.Generator, kind: str) -> Texture:
    """Draw four metres of fence; railings are transparent between the bars."""
    height, width = 64, 192
    if kind == 'boards':
        colour = np.array([(132, 100, 70), (104, 92, 80), (150, 136, 116), (86, 98, 80)][
            rng.integers(4)])
        surface = speckle(rng, colour, height, width, 0.07)
        for left in range(0, width, 8):
            surface[:, left:left + 8] *= rng.uniform(0.82, 1.12)
            surface[:, left] *= 0.55
        surface[:4] *= 1.15
        surface[10:14] *= 0.85
        surface[48:52] *= 0.85
        return Texture(_bytes(surface))
    colour = np.array([(52, 54, 56), (150, 152, 150), (60, 80, 66), (190, 188, 182)][
        rng.integers(4)])
    image = np.zeros((height, width, 4), np.uint8)
    bars = np.zeros((height, width), bool)
    step = int(rng.integers(6, 9))
    for left in range(0, width, step):
        bars[:, left:left + step - 3] = True
    bars[2:9] = True
    bars[50:56] = True
    bars[:, ::48] = bars[:, 1::48] = bars[:, 2::48] = bars[:, 3::48] = True
    image[..., :3] = _bytes(speckle(rng, colour, height, width, 0.06))
    image[..., 3] = np.where(bars, 255, 0)
    return Texture(image)


def hedge(rng: np.random.Generator) -> Texture:
    """Draw four metres of hedge with an irregular top."""
    height, width = 64, 192
    green = np.array([70, 92, 48]) * rng.uniform(0.7, 1.2) + rng.normal(0, 6, 3)
    leaves = noise(rng, 256, 16, 4)[:height, :width, None]
    fine = rng.normal(0, 1, (height, width, 1))
    ramp = np.linspace(1.25, 0.6, height)[:, None, None]
    surface = green * ramp * (1 + 0.16 * leaves + 0.14 * fine)
    ragged = 6 + 4 * noise(rng, 256, 8, 5)[0, :width]
    mask = np.arange(height)[:, None] > ragged
    return Texture(np.dstack([_bytes(surface), np.where(mask, 255, 0).astype(np.uint8)]))


def foliage(rng: np.random.Generator) -> Texture:
    """Draw a tree: trunk, branches and clumps of leaves lit from above, 256 x 192 texels."""
    height, width = 256, 192
    image = np.zeros((height, width, 4), np.uint8)
    bark = np.array([86, 70, 54]) * rng.uniform(0.7, 1.2)
    lean = rng.uniform(-10, 10)
    thick = rng.uniform(5, 10)
    base = width / 2
    trunk = np.array([[base - thick, height], [base + thick, height],
                      [base + lean + thick * 0.5, 110], [base + lean - thick * 0.5, 110]])
    cv2.fillPoly(image, [trunk.astype(np.int32)], (*bark.tolist(), 255))
    kind = rng.choice(['round', 'tall', 'cone', 'sparse'], p=[0.45, 0.25, 0.12, 0.18])
    low = rng.uniform(0.62, 0.8) * height
    green = np.array([[78, 100, 48], [94, 108, 56], [62, 84, 52], [120, 112, 52], [124, 88, 48]][
        rng.choice(5, p=[0.3, 0.25, 0.2, 0.15, 0.1])]) * rng.uniform(0.75, 1.15)
    clumps = []
    for _ in range(260 if kind != 'sparse' else 110):
        rise = rng.random()
        reach = {'round': np.sqrt(max(0.0, 1 - (2 * rise - 1) ** 2)) * 0.95 + 0.05,
                 'tall': np.sin(np.pi * min(rise * 0.85 + 0.12, 1)) * 0.55 + 0.05,
                 'cone': (1 - rise) * 0.75 + 0.05,
                 'sparse': np.sqrt(max(0.0, 1 - (2 * rise - 1) ** 2))}[str(kind)]
        x = base + lean + rng.uniform(-1, 1) * reach * (width / 2 - 14)
        y = low - rise * (low - 14)
        clumps.append((rng.random(), x, y, rise))
    for depth, x, y, rise in sorted(clumps):
        if kind == 'sparse' and rng.random() < 0.6:
            cv2.line(image, (int(base + lean), int(low)), (int(x), int(y)),
                     (*(bark * 0.9).tolist(), 255), 2)
        radius = rng.uniform(4, 13) if kind != 'sparse' else rng.uniform(3, 9)
        lit = 0.55 + 0.35 * rise + 0.35 * depth + rng.normal(0, 0.08)
        blob = cv2.ellipse2Poly((int(x), int(y)), (int(radius * 1.2), int(radius)),
                                int(rng.integers(180)), 0, 360, 40)
        blob = blob + rng.integers(-3, 4, blob.shape)
        cv2.fillPoly(image, [blob.astype(np.int32)], (*(green * lit).tolist(), 255))
    leaves = rng.normal(1, 0.16, (height, width, 1))
    image[..., :3] = np.clip(image[..., :3] * leaves, 0, 255)
    crown = np.arange(height)[:, None] < low
    holes = (noise(rng, 256, 32, 3)[:, :width] > 1.25) & crown
    image[..., 3][holes] = 0
    return Texture(image)


def _bytes(image: np.ndarray) -> np.ndarray:
    return np.clip(image, 0, 255).astype(np.uint8)
