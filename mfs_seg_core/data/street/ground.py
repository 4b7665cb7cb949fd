# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground, computed per pixel: carriageway with markings, kerbs, pavements and verges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mfs_seg_core.data.street.camera import CameraView
from mfs_seg_core.data.street.canvas import SHIFT, Canvas
from mfs_seg_core.data.street.classes import PAVEMENT, ROAD, TREE
from mfs_seg_core.data.street.light import Light
from mfs_seg_core.data.street.textures import noise

KERB = 0.22
# Side of the textures in texels, and texels per metre of the fine and the coarse one.
SIZE = 512
FINE, COARSE = 24.0, 2.0


@dataclass(frozen=True)
class Profile:
    """
    Cross-section of the road, in metres; index 0 is the left side, 1 the right.

    :param side: +1 for right-hand traffic, -1 for left-hand traffic.
    :param lane: width of a lane.
    :param edge: distance from the centre line to the kerb.
    :param pavement: width of the pavement with its kerb.
    :param parking: whether cars park along the kerb.
    :param grass: whether grass, not paving, lies behind the pavement.
    """

    side: int
    lane: float
    edge: tuple[float, float]
    pavement: tuple[float, float]
    parking: tuple[bool, bool]
    grass: tuple[bool, bool]

    @staticmethod
    def draw(rng: np.random.Generator) -> Profile:
        """Draw a cross-section at random."""
        lane = rng.uniform(2.75, 3.3)
        parking = tuple(bool(x) for x in rng.random(2) < 0.52)
        margin = rng.uniform(0.3, 0.9, 2)
        edge = tuple(float(lane + margin[i] + 2.1 * parking[i]) for i in range(2))
        return Profile(
            int(rng.choice([-1, 1])), float(lane), edge,
            tuple(float(x) for x in rng.uniform(2.2, 4.4, 2)), parking,
            tuple(bool(x) for x in rng.random(2) < 0.4))


class Ground:
    """Textures and road markings of one drive."""

    def __init__(self, rng: np.random.Generator, profile: Profile):
        self.profile = profile
        asphalt = rng.uniform(84, 132) * np.array([1, 1, 1.02]) + rng.normal(0, 3, 3)
        paving = rng.uniform(118, 172) * np.array([1.03, 1, 0.95]) + rng.normal(0, 6, 3)
        grass = np.array([88, 106, 56]) * rng.uniform(0.75, 1.2) + rng.normal(0, 6, 3)
        kerb = rng.uniform(130, 196) * np.array([1, 0.99, 0.96])
        verge = [grass if grassy else paving * 0.92 for grassy in profile.grass]
        # Zones: carriageway; kerb, paving and verge on the left; the same on the right.
        self.colours = np.array([asphalt, kerb, paving, verge[0], kerb, paving, verge[1]],
                                np.float32)
        green = [TREE if grassy else PAVEMENT for grassy in profile.grass]
        self.classes = np.array([ROAD, PAVEMENT, PAVEMENT, green[0], PAVEMENT, PAVEMENT,
                                 green[1]], np.uint8)
        self.fine = noise(rng, SIZE, 64, 4) * 0.35 + 0.5 * rng.normal(
            0, 1, (SIZE, SIZE)).astype(np.float32)
        self.coarse = _patches(rng)
        self.rough = np.float32(rng.uniform(0.05, 0.12))
        self.blotch = np.float32(rng.uniform(0.04, 0.10))
        self.slab = rng.uniform(0.5, 1.1) if rng.random() < 0.7 else 0.0
        self.dash = (rng.uniform(5, 9), rng.uniform(0.3, 0.6))
        self.mark = np.float32(rng.uniform(170, 225))
        self.yellow = rng.random() < 0.35
        self.edge_line = rng.random() < 0.7
        self.centre = rng.choice(['dash', 'line', 'none'], p=[0.7, 0.18, 0.12])
        self.lines = np.array(profile.edge) - rng.uniform(0.25, 0.5) - 2.1 * np.array(
            profile.parking)

    def draw(self, canvas: Canvas, light: Light, shadows: Sequence[np.ndarray],
             contacts: Sequence[np.ndarray], crossings: Sequence[float]) -> None:
        """
        Fill the image below the visible horizon.

        :param canvas: canvas to draw on.
        :param light: light of the drive.
        :param shadows: polygons of shadows, in fixed-point pixels.
        :param contacts: polygons of contact shadows, in fixed-point pixels.
        :param crossings: positions of zebra crossings, in metres along the road.
        """
        view = canvas.view
        top, s, d, z = _locate(view)
        if top >= view.height:
            return
        left, right = self.profile.edge
        walk_left, walk_right = self.profile.pavement
        bounds = ((-left, 1), (-left - KERB, 2), (-left - walk_left, 3))
        zone = np.zeros(d.shape, np.uint8)
        for bound, index in bounds:
            zone[d < bound] = index
        for bound, index in ((right, 4), (right + KERB, 5), (right + walk_right, 6)):
            zone[d > bound] = index
        footprint = (z / np.float32(view.focal)).astype(np.float32)
        shade = self._texture(s, d, footprint, zone)
        colour = np.take(self.colours * light.warmth.astype(np.float32), zone, axis=0)
        colour *= _thrice(shade)
        self._marks(colour, s, d, footprint, crossings, shade)
        dark = self._shadow(view, light, shadows, contacts, top)
        clear = np.exp(np.float32(-light.haze) * z)
        lit = _thrice(dark * clear)
        if light.wet:
            # Wet ground reflects more of the sky at a flatter angle.
            mirror = (0.5 * np.clip(z / 45, 0, 1)[..., None] + 0.06).astype(np.float32)
            colour = colour * (0.78 - 0.5 * mirror) + light.horizon.astype(np.float32) * mirror
        colour *= lit
        hazy = 1 - clear
        colour += cv2.merge([hazy * share for share in light.horizon.astype(np.float32)])
        image = np.clip(colour, 0, 255, out=colour).astype(np.uint8)
        canvas.pixels[top:] = cv2.merge([*cv2.split(image), self.classes.take(zone)])

    def _texture(self, s, d, footprint, zone) -> np.ndarray:
        fine = _sample(self.fine, s, d, FINE)
        coarse = _sample(self.coarse, s, d, COARSE)
        fade = 1 / (1 + (footprint * 14) ** 2)
        shade = 1 + self.rough * fade * fine + self.blotch * coarse
        if self.slab:
            paved = (zone == 2) | (zone == 5)
            rows = np.s_[np.argmax(footprint[:, 0] < 0.06):]
            joint = (wrapped(s[rows], self.slab) < 0.04) | (wrapped(d[rows], self.slab) < 0.04)
            shade[rows][joint & paved[rows]] *= 0.82
        # Tyre tracks are brighter than the rest of a lane.
        lane = self.profile.lane
        track = np.abs(np.abs(np.abs(d) - lane / 2) - 0.8)
        shade += np.float32(0.05) * np.clip(0.35 - track, 0, 0.3) * (zone == 0)
        # The foot of a kerb is in shadow.
        shade[(zone == 1) & (d > -self.profile.edge[0] - 0.09)] *= 0.62
        shade[(zone == 4) & (d < self.profile.edge[1] + 0.09)] *= 0.62
        return shade

    def _marks(self, colour, s, d, footprint, crossings, shade) -> None:
        period, share = self.dash
        cover = np.zeros(d.shape, np.float32)
        if self.centre != 'none':
            stripe = _stripe(d, 0.0, 0.07, footprint)
            if self.centre == 'dash':
                stripe *= wrapped(s, period) < period * share
            cover += stripe
        if self.edge_line:
            for place in (-self.lines[0], self.lines[1]):
                cover += _stripe(d, place, 0.06, footprint)
        paint = np.array([1, 1, 0.97], np.float32) * self.mark
        if self.yellow:
            paint = paint * np.array([1, 0.86, 0.4], np.float32)
        self._lay(colour, cover, paint, shade)
        cover[:] = 0
        for place in crossings:
            at = (np.abs(s - np.float32(place)) < 1.6) & (d > -self.profile.edge[0]) & (
                d < self.profile.edge[1])
            cover[at] = wrapped(d[at], 1.1) < 0.55
        if crossings:
            self._lay(colour, cover, np.full(3, self.mark), shade)

    @staticmethod
    def _lay(colour, cover, paint, shade) -> None:
        # Worn paint has the texture of the asphalt.
        cover = np.minimum(cover, 1) * np.float32(0.85)
        rows, columns = np.nonzero(cover > 0.02)
        weight = cover[rows, columns, None]
        colour[rows, columns] += (paint * shade[rows, columns, None]
                                  - colour[rows, columns]) * weight

    def _shadow(self, view, light, shadows, contacts, top) -> np.ndarray:
        """Return the light on the ground, float32 ``[rows, W]``."""
        sunlit = light.open_ground
        level = np.full((view.height, view.width), 255, np.uint8)
        if light.casts:
            dim = int(255 * light.ambient * 0.92 / sunlit)
            for polygon in shadows:
                cv2.fillPoly(level, [polygon], dim, cv2.LINE_8, SHIFT)
        for polygon in contacts:
            cv2.fillPoly(level, [polygon], 70, cv2.LINE_8, SHIFT)
        level = cv2.blur(level[top:], (3, 3))
        return level.astype(np.float32) * np.float32(sunlit / 255)


def _thrice(values: np.ndarray) -> np.ndarray:
    """Repeat values for three channels, float32 ``[rows, W, 3]``; faster than broadcasting."""
    return cv2.merge([values] * 3)


def _stripe(d, place: float, half: float, footprint) -> np.ndarray:
    """Return the share of each pixel that a line along the road covers."""
    wide = np.maximum(footprint, np.float32(0.02))
    return np.clip((np.float32(half) - np.abs(d - np.float32(place))) / wide + 0.5, 0, 1) * (
        np.minimum(1, 2 * np.float32(half) / wide))


def _sample(texture: np.ndarray, s, d, scale: float) -> np.ndarray:
    """Sample a periodic texture at road coordinates."""
    return cv2.remap(texture, wrapped(d * np.float32(scale), SIZE - 1),
                     wrapped(s * np.float32(scale), SIZE - 1), cv2.INTER_LINEAR)


def wrapped(value: np.ndarray, period: float) -> np.ndarray:
    """Return the remainder, float32; several times faster than ``np.mod``."""
    turns = np.floor(value * np.float32(1 / period))
    # Rounding may leave it slightly outside.
    return np.clip(value - turns * np.float32(period), 0, np.float32(period))


def _patches(rng: np.random.Generator) -> np.ndarray:
    """Draw a texture of stains and repaired rectangles."""
    texture = noise(rng, SIZE, 16, 5)
    for _ in range(26):
        top, left = rng.integers(0, SIZE, 2)
        texture[top:top + rng.integers(3, 16), left:left + rng.integers(2, 7)] += rng.normal(0, 1.6)
    return texture


def _locate(view: CameraView):
    """
    Compute the road coordinates of the pixels of the ground.

    :param view: the camera.
    :returns: first row with ground; ``s``, ``d`` and distance ahead of the pixels from that row on,
        float32 ``[rows, W]``, in metres.
    """
    ahead = view.grid >= 1
    x, y, z, cosine, sine = view.table[ahead].T
    u = view.grid[ahead]
    row = view.horizon - view.focal * y / z
    # A crest hides the road behind it: rows must rise with distance.
    visible = np.minimum.accumulate(row)
    first = row <= visible
    x, z, cosine, sine, u, row = (a[first][::-1] for a in (x, z, cosine, sine, u, row))
    centre_x, centre_y = view.width / 2, view.height / 2
    tilt = np.tan(view.roll)
    lift = abs(tilt) * centre_x
    top = int(np.clip(np.ceil(row[0] - lift - 0.5), 0, view.height))
    columns = np.arange(view.width) + 0.5 - centre_x
    rows = np.arange(top, view.height) + 0.5 - centre_y
    cos, sin = np.cos(view.roll), np.sin(view.roll)
    upright = (rows[:, None] * cos - columns * sin + centre_y).astype(np.float32)
    across = (columns * cos + rows[:, None] * sin).astype(np.float32)
    # Fine, equally spaced tables need one index per look-up.
    low, step = row[0], 0.05
    fine = np.arange(low, max(row[-1], view.height + lift) + 1, step)
    depth = np.interp(fine, row, z).astype(np.float32)
    index = np.clip((upright - np.float32(low)) / np.float32(step), 0, len(fine) - 1)
    z_pixel = depth.take(index.astype(np.int32))
    x_pixel = across * z_pixel / np.float32(view.focal)
    order = slice(None, None, -1)
    x, z, cosine, sine, u = (a[order] for a in (x, z, cosine, sine, u))
    reach = np.arange(0, z[-1], 0.25)
    curves = [np.interp(reach, z, a).astype(np.float32) for a in (u, x, cosine, sine)]
    z_road, d = z_pixel, np.float32(0)
    for _ in range(2):
        at = np.clip(z_road * 4, 0, len(reach) - 1).astype(np.int32)
        d = (x_pixel - curves[1].take(at)) / curves[2].take(at)
        z_road = z_pixel + d * curves[3].take(at)
    at = np.clip(z_road * 4, 0, len(reach) - 1)
    low_at = np.minimum(at.astype(np.int32), len(reach) - 2)
    u_low = curves[0].take(low_at)
    s = u_low + (curves[0].take(low_at + 1) - u_low) * (at - low_at.astype(np.float32))
    return top, s + np.float32(view.s), d, z_pixel
