# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The image and its label are one picture: what colours a pixel also names it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from mfs_seg_core.data.street.camera import NEAR, View, clip_near

# Fractional bits of the corners that OpenCV fills between.
SHIFT = 4
# Fixed-point corners stay within this, where OpenCV's own arithmetic is sure.
OUTSIDE = 400_000
# A textured face of fewer pixels is drawn in its mean colour.
SMALL = 180


class Tone:
    """How colours are seen: each channel times a gain, plus an offset (light, then haze)."""

    def __init__(self, gain, offset):
        self.gain, self.offset = gain, offset

    def colour(self, albedo) -> list[float]:
        """One colour; plain floats are quickest for one."""
        (r, g, b), (x, y, z), (u, v, w) = albedo, self.gain, self.offset
        return [min(r * x + u, 255.0), min(g * y + v, 255.0), min(b * z + w, 255.0)]

    def paint(self, picture: np.ndarray, class_id: int) -> np.ndarray:
        """A picture uint8 ``[H, W, 3 or 4]`` as pixels of a canvas, uint8 ``[H, W, 4]``."""
        matrix = np.zeros((4, picture.shape[2] + 1))
        matrix[0, 0], matrix[1, 1], matrix[2, 2] = self.gain
        matrix[:3, -1] = self.offset
        matrix[3, -1] = class_id
        return cv2.transform(picture, matrix)


class Texture:
    """
    A picture in halving sizes, so that far things do not glitter.

    :param picture: uint8 ``[H, W, 3]``, or ``[H, W, 4]`` with a mask (0 or 255) last.
    """

    def __init__(self, picture: np.ndarray):
        self.masked = picture.shape[2] == 4
        if self.masked:
            picture = _bleed(picture)
        self.levels = [picture]
        while min(self.levels[-1].shape[:2]) >= 4:
            last = self.levels[-1]
            self.levels.append(cv2.resize(
                last, (last.shape[1] // 2, last.shape[0] // 2), interpolation=cv2.INTER_AREA))
        self.height, self.width = picture.shape[:2]
        self.mean = picture[..., :3].reshape(-1, 3).mean(0).tolist()

    def level(self, texels_per_pixel: float) -> np.ndarray:
        """The size that has about one texel for a pixel."""
        index = int(math.log2(max(texels_per_pixel, 1.0)) + 0.35)
        return self.levels[min(index, len(self.levels) - 1)]


def _bleed(picture: np.ndarray) -> np.ndarray:
    """Spread colours past the mask, so that smoothing its edge mixes in no background."""
    mask = picture[..., 3:].astype(np.float32) / 255
    picture = picture.copy()
    around = cv2.blur(picture[..., :3] * mask, (15, 15))
    weight = cv2.blur(mask, (15, 15))[..., None]
    spread = around / np.maximum(weight, 1e-3)
    picture[..., :3] = np.where(mask > 0, picture[..., :3], spread)
    return picture


@dataclass(frozen=True)
class Spots:
    """
    A thing's points as the camera sees them.

    :param camera: float64 ``[N, 3]``.
    :param corners: int32 ``[N, 2]``, fixed-point pixels; only those ahead mean anything.
    :param ahead: whether all are ahead of the camera.
    """

    camera: np.ndarray
    corners: np.ndarray
    ahead: bool


class Canvas:
    """
    What has been drawn so far.

    :attr pixels: uint8 ``[H, W, 4]``: red, green, blue, and the class id of what is seen there.
    """

    def __init__(self, view: View):
        self.view = view
        self.pixels = np.zeros((view.height, view.width, 4), np.uint8)

    def polygon(self, spots: Spots, index: np.ndarray, colour, class_id: int) -> None:
        """Fill the polygon between the spots that `index` names."""
        corners = self._outline(spots, index)
        if corners is not None:
            self.fill(corners, colour, class_id)

    def fill(self, corners: np.ndarray, colour, class_id: int) -> None:
        """Fill a polygon given in fixed-point pixels ``[N, 2]``."""
        cv2.fillPoly(self.pixels, [corners], (*colour, class_id), cv2.LINE_8, SHIFT)

    def plane(self, texture: Texture, spots: Spots, index: np.ndarray, tone: Tone,
              class_id: int) -> None:
        """
        Lay a texture on a flat four-cornered face.

        :param index: its spots: lower left, lower right, upper right, upper left.
        :param tone: how its colours are seen, from `Light.tone`.
        """
        corners = self._outline(spots, index)
        if corners is None:
            return
        box = self._box(corners)
        if box is None:
            return
        left, top, width, height = box
        if width * height < SMALL and not texture.masked or width * height < SMALL / 4:
            self.fill(corners, tone.colour(texture.mean), class_id)
            return
        tall = (cv2.boundingRect(corners)[3] - 1) / (1 << SHIFT)
        picture = texture.level(texture.height / max(tall, 1.0))
        rows, columns = picture.shape[:2]
        (x, y, z), (ax, ay, az), _, (ux, uy, uz) = spots.camera[index].tolist()
        flat = np.array([((ax - x) / columns, (x - ux) / rows, ux),
                         ((ay - y) / columns, (y - uy) / rows, uy),
                         ((az - z) / columns, (z - uz) / rows, uz)])
        determinant, to_texture = cv2.invert(self.view.matrix @ flat)
        if determinant == 0:
            return
        to_texture[:, 2] += to_texture[:, 0] * (left + 0.5) + to_texture[:, 1] * (top + 0.5)
        patch = cv2.warpPerspective(
            picture, to_texture, (width, height), borderMode=cv2.BORDER_REPLICATE,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [corners - np.array([left << SHIFT, top << SHIFT], np.int32)], 1,
                     cv2.LINE_8, SHIFT)
        if texture.masked:
            cv2.min(mask, cv2.compare(patch[..., 3], 127, cv2.CMP_GT), mask)
        self._paste(box, tone.paint(patch, class_id), mask)

    def sprite(self, texture: Texture, foot: np.ndarray, size: tuple[float, float],
               tone: Tone, class_id: int, flip: bool = False) -> None:
        """
        Stand a masked picture upright, facing the camera.

        :param foot: middle of its lower edge in camera coordinates ``[3]``.
        :param size: width and height in metres.
        """
        if foot[2] < NEAR:
            return
        x, y = self.view.project(foot[None])[0].tolist()
        scale = self.view.focal / float(foot[2])
        wide, tall = size[0] * scale, size[1] * scale
        left, top = max(math.floor(x - wide / 2), 0), max(math.floor(y - tall), 0)
        width = min(math.ceil(x + wide / 2) + 1, self.view.width) - left
        height = min(math.ceil(y) + 1, self.view.height) - top
        if width <= 0 or height <= 0 or tall < 1.5:
            return
        picture = texture.level(texture.height / tall)
        rows, columns = picture.shape[:2]
        kx, ky = columns / wide, rows / tall
        shift_x = (left + 0.5 - x + wide / 2) * kx - 0.5
        if flip:
            kx, shift_x = -kx, columns - 1 - shift_x
        to_texture = np.array([[kx, 0, shift_x], [0, ky, (top + 0.5 - y + tall) * ky - 0.5]])
        patch = cv2.warpAffine(picture, to_texture, (width, height),
                               flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        _, mask = cv2.threshold(patch[..., 3], 127, 1, cv2.THRESH_BINARY)
        self._paste((left, top, width, height), tone.paint(patch, class_id), mask)

    def _outline(self, spots: Spots, index: np.ndarray) -> np.ndarray | None:
        if spots.ahead:
            return spots.corners[index]
        points = clip_near(spots.camera[index])
        return fixed_point(self.view.project(points)) if len(points) > 2 else None

    def _box(self, corners: np.ndarray) -> tuple[int, int, int, int] | None:
        x, y, wide, tall = cv2.boundingRect(corners)
        left, top = max(x >> SHIFT, 0), max(y >> SHIFT, 0)
        width = min((x + wide - 1 >> SHIFT) + 2, self.view.width) - left
        height = min((y + tall - 1 >> SHIFT) + 2, self.view.height) - top
        return (left, top, width, height) if width > 0 and height > 0 else None

    def _paste(self, box, patch: np.ndarray, mask: np.ndarray) -> None:
        left, top, width, height = box
        cv2.copyTo(patch, mask, self.pixels[top:top + height, left:left + width])


def fixed_point(pixels: np.ndarray) -> np.ndarray:
    """Pixels ``[N, 2]`` as OpenCV's fixed-point corners; far outside is cut to fit."""
    # OpenCV's whole numbers are the middles of pixels, ours their upper left corners.
    scaled = (pixels - 0.5) * (1 << SHIFT)
    scaled = np.minimum(np.maximum(scaled, -OUTSIDE), OUTSIDE)
    return np.rint(scaled).astype(np.int32)
