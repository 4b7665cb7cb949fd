# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Street: an endless procedural drive with exact labels."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from numbers import Real

import cv2
import numpy as np

from mfs_seg_core.data.street.actors import Traffic
from mfs_seg_core.data.street.camera import AHEAD, NEAR, CameraView, Course, clip_near
from mfs_seg_core.data.street.canvas import Canvas, ProjectedPoints, fixed_point
from mfs_seg_core.data.street.ground import Ground, Profile
from mfs_seg_core.data.street.layout import CHUNK, Art, StreetLayout
from mfs_seg_core.data.street.light import Light
from mfs_seg_core.data.street.sky import Sky

# Objects are sorted by longitudinal distance plus this times lateral distance. Any such sum grows
# along every line of sight; the lateral weight separates long objects in rows.
ASIDE = 4.0
# Range of width and height in pixels: below, objects are unrecognisable; above, rendering is slow.
SIZES = (16, 4096)
# Greatest length of a shadow, in heights of the object.
LONGEST_SHADOW = 3.0
# Distance up to which shadows are drawn, in metres.
SHADOW_REACH = 45.0


@dataclass(frozen=True)
class StreetFrame:
    """
    One frame of a drive.

    :param image: uint8 ``[H, W, 3]``, RGB.
    :param label: uint8 ``[H, W]``, CamVid class ids 0..10; no pixel is void.
    :param time_s: scene time in seconds; the first frame is at 0.
    """

    image: np.ndarray
    label: np.ndarray
    time_s: float


class Street:
    """
    Endless drive along a street; each iteration starts at scene time 0.

    The scene is a function of seed and time alone: the rate selects the times of its frames, the
    size the resolution.
    """

    def __init__(self, seed: int, width: int = 240, height: int = 180, rate_hz: float = 20.0):
        """
        Draw street, weather and drive from the seed.

        :param seed: 0 or more.
        :param width: width in pixels, 16 to 4096.
        :param height: height in pixels, 16 to 4096.
        :param rate_hz: frames per second of scene time.
        :raises ValueError: an argument is out of its range.
        """
        self.seed = _whole('seed', seed)
        if self.seed < 0:
            raise ValueError(f'seed is {seed}: give a whole number of 0 or more')
        self.width, self.height = _whole('width', width), _whole('height', height)
        for name, value in (('width', self.width), ('height', self.height)):
            if not SIZES[0] <= value <= SIZES[1]:
                raise ValueError(f'{name} is {value}: give {SIZES[0]} to {SIZES[1]} pixels')
        if not (isinstance(rate_hz, Real) and math.isfinite(rate_hz) and rate_hz > 0):
            raise ValueError(f'rate_hz is {rate_hz!r}: give a number above 0')
        self.rate_hz = float(rate_hz)
        rng = np.random.default_rng((self.seed, 0))
        self._profile = Profile.draw(rng)
        self._course = Course(rng, self._profile.side * self._profile.lane / 2)
        self.light = Light(rng)
        self._sky = Sky(rng, self.light)
        self._ground = Ground(rng, self._profile)
        art = Art(rng)
        self._layout = StreetLayout(self.seed, self._profile, art)
        self._traffic = Traffic(self.seed, rng, self._profile, art)
        self._last: StreetFrame | None = None

    def __iter__(self) -> Iterator[StreetFrame]:
        for index in count():
            yield self.frame(index / self.rate_hz)

    def frame(self, time_s: float) -> StreetFrame:
        """
        Render the frame at a scene time.

        :param time_s: scene time in seconds, 0 or more.
        :returns: image and label, writable.
        :raises ValueError: the time is below 0 or not finite.
        """
        scene = self.scene(time_s)
        return StreetFrame(self.light.develop(scene.image, time_s), scene.label.copy(), time_s)

    def scene(self, time_s: float) -> StreetFrame:
        """
        Render the scene without the effects of the camera: rain, lens, noise and response.

        The last scene is cached, so that several sensors can record the same instant.

        :param time_s: scene time in seconds, 0 or more.
        :returns: image and label, read-only.
        :raises ValueError: the time is below 0 or not finite.
        """
        if not (isinstance(time_s, Real) and math.isfinite(time_s) and time_s >= 0):
            raise ValueError(f'time_s is {time_s!r}: give a number of 0 or more')
        if self._last is not None and self._last.time_s == time_s:
            return self._last
        view = CameraView(self._course, time_s, self.width, self.height)
        canvas = Canvas(view)
        things, crossings = self._layout.between(view.s - CHUNK / 2, view.s + AHEAD - 20)
        things += self._traffic.present(view)
        things = [thing for thing in things if -22 < thing.s - view.s < thing.reach]
        visible, shadows, contacts = self._project(view, things)
        self._sky.draw(canvas, self.light)
        self._ground.draw(canvas, self.light, shadows, contacts, crossings)
        for thing, projected in visible:
            thing.draw(canvas, self.light, projected)
        image, label = cv2.cvtColor(canvas.pixels, cv2.COLOR_RGBA2RGB), canvas.pixels[..., 3].copy()
        for array in (image, label):
            array.flags.writeable = False
        self._last = StreetFrame(image, label, time_s)
        return self._last

    def _project(self, view: CameraView, things: list) -> tuple[list, list, list]:
        """
        Project the points of all objects at once.

        :returns: visible (object, projection) pairs from far to near; polygons of shadows, and of
            contact shadows, in fixed-point pixels.
        """
        camera = view.place(np.concatenate([thing.road for thing in things]))
        pixels = view.project(camera)
        corners = fixed_point(pixels)
        sizes = [len(thing.road) for thing in things]
        ends = np.cumsum(sizes)
        starts = ends - sizes
        nearest = np.minimum.reduceat(camera[:, 2], starts)
        farthest = np.maximum.reduceat(camera[:, 2], starts)
        low, high = np.minimum.reduceat(pixels, starts), np.maximum.reduceat(pixels, starts)
        inside = (high[:, 0] > 0) & (low[:, 0] < view.width) & (high[:, 1] - low[:, 1] > 1.5) & (
            low[:, 1] < view.height)
        ahead = nearest >= NEAR
        shown = np.where(ahead, inside, farthest > NEAR)
        anchors = np.array([thing.anchor for thing in things])
        anchors += np.where(anchors < 0, ends[:, None], starts[:, None])
        middle = camera[anchors].mean(1)
        orders = middle[:, 2] + ASIDE * np.abs(middle[:, 0])
        cast = self._cast(view)
        visible, shadows, contacts = [], [], []
        for thing, start, end, whole, show, z, order in zip(
                things, starts.tolist(), ends.tolist(), ahead.tolist(), shown.tolist(),
                nearest.tolist(), orders.tolist()):
            points = camera[start:end]
            if z < SHADOW_REACH and self.light.casts:
                shadows.append(thing.shadow(points, cast))
            if show:
                visible.append((order, thing, ProjectedPoints(points, corners[start:end], whole)))
                contact = thing.contact(points) if z < SHADOW_REACH else None
                if contact is not None:
                    contacts.append(contact)
        visible.sort(key=lambda item: -item[0])
        return [item[1:] for item in visible], _outlines(view, shadows), _outlines(view, contacts)

    def _cast(self, view: CameraView) -> np.ndarray:
        """Return the shadow of one metre of height, a vector ``[3]`` in camera coordinates."""
        away = self.light.sun_azimuth + np.pi - view.azimuth
        reach = min(1 / np.tan(self.light.sun_elevation), LONGEST_SHADOW)
        return np.array([np.sin(away) * reach, 0, np.cos(away) * reach])


def _outlines(view: CameraView, polygons: list[np.ndarray]) -> list[np.ndarray]:
    """Project polygons in camera coordinates to fixed-point pixels, clipped at the camera."""
    if not polygons:
        return []
    sizes = [len(polygon) for polygon in polygons]
    starts = np.cumsum(sizes) - sizes
    points = np.concatenate(polygons)
    pixels = view.project(points)
    corners = fixed_point(pixels)
    nearest = np.minimum.reduceat(points[:, 2], starts)
    low, high = np.minimum.reduceat(pixels, starts), np.maximum.reduceat(pixels, starts)
    # A margin of one pixel keeps polygons that touch the border of the image.
    inside = ((high > -1) & (low < (view.width + 1, view.height + 1))).all(1)
    shown = np.where(nearest < NEAR, np.maximum.reduceat(points[:, 2], starts) >= NEAR, inside)
    outlines = []
    for polygon, start, near, show in zip(
            polygons, starts.tolist(), nearest.tolist(), shown.tolist()):
        if not show:
            continue
        outline = corners[start:start + len(polygon)]
        if near < NEAR:
            clipped = clip_near(polygon)
            if len(clipped) < 3:
                continue
            outline = fixed_point(view.project(clipped))
        outlines.append(outline)
    return outlines


def _whole(name: str, value) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise ValueError(f'{name} is {value!r}: give a whole number') from None
