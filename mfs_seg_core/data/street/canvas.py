# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Canvas that draws image and label at once: each pixel holds colour and class id."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from mfs_seg_core.data.street.camera import NEAR, CameraView, clip_near

# Fractional bits of OpenCV's fixed-point corners.
SHIFT = 4
# Limit of fixed-point corners; OpenCV's arithmetic overflows for much larger ones.
OUTSIDE = 400_000
# Textured faces with fewer pixels are drawn in their mean colour.
SMALL = 180


class Tone:
    """Light and haze on a surface: a gain and an offset for each channel."""

    def __init__(self, gain, offset):
        self.gain, self.offset = gain, offset

    def colour(self, albedo) -> list[float]:
        """Return a colour under this light; Python floats are fastest for one colour."""
        (r, g, b), (x, y, z), (u, v, w) = albedo, self.gain, self.offset
        return [min(r * x + u, 255.0), min(g * y + v, 255.0), min(b * z + w, 255.0)]

    def paint(self, image: np.ndarray, class_id: int) -> np.ndarray:
        """Convert an image, uint8 ``[H, W, 3 or 4]``, to pixels, uint8 ``[H, W, 4]``."""
        matrix = np.zeros((4, image.shape[2] + 1))
        matrix[0, 0], matrix[1, 1], matrix[2, 2] = self.gain
        matrix[:3, -1] = self.offset
        matrix[3, -1] = class_id
        return cv2.transform(image, matrix)


class Texture:
    """
    Image pyramid of a texture, against aliasing at a distance.

    The image is uint8 ``[H, W, 3]``, or ``[H, W, 4]`` with a mask (0 or 255) as last channel.
    """

    def __init__(self, image: np.ndarray):
        self.masked = image.shape[2] == 4
        if self.masked:
            image = _bleed(image)
        self.levels = [image]
        while min(self.levels[-1].shape[:2]) >= 4:
            last = self.levels[-1]
            self.levels.append(cv2.resize(
                last, (last.shape[1] // 2, last.shape[0] // 2), interpolation=cv2.INTER_AREA))
        self.height, self.width = image.shape[:2]
        self.mean = image[..., :3].reshape(-1, 3).mean(0).tolist()

    def level(self, texels_per_pixel: float) -> np.ndarray:
        """Return the level with about one texel per pixel."""
        index = int(math.log2(max(texels_per_pixel, 1.0)) + 0.35)
        return self.levels[min(index, len(self.levels) - 1)]


def _bleed(image: np.ndarray) -> np.ndarray:
    """Extend colours beyond the mask, so that interpolation at its edge adds no background."""
    mask = image[..., 3:].astype(np.float32) / 255
    image = image.copy()
    around = cv2.blur(image[..., :3] * mask, (15, 15))
    weight = cv2.blur(mask, (15, 15))[..., None]
    spread = around / np.maximum(weight, 1e-3)
    image[..., :3] = np.where(mask > 0, image[..., :3], spread)
    return image


@dataclass(frozen=True)
class ProjectedPoints:
    """
    Points of an object, projected to the image.

    :param camera: camera coordinates, float64 ``[N, 3]``.
    :param corners: fixed-point pixels, int32 ``[N, 2]``, valid for points ahead of the camera only.
    :param ahead: whether all points are ahead of the camera.
    """

    camera: np.ndarray
    corners: np.ndarray
    ahead: bool


class Canvas:
    """
    Image and label of one view.

    ``pixels`` is uint8 ``[H, W, 4]``: red, green, blue and class id.
    """

    def __init__(self, view: CameraView):
        self.view = view
        self.pixels = np.zeros((view.height, view.width, 4), np.uint8)

    def polygon(self, projected: ProjectedPoints, index: np.ndarray, colour, class_id: int) -> None:
        """Fill the polygon between the points with the indices ``index``."""
        corners = self._outline(projected, index)
        if corners is not None:
            self.fill(corners, colour, class_id)

    def fill(self, corners: np.ndarray, colour, class_id: int) -> None:
        """Fill a polygon given in fixed-point pixels ``[N, 2]``."""
        cv2.fillPoly(self.pixels, [corners], (*colour, class_id), cv2.LINE_8, SHIFT)

    def plane(self, texture: Texture, projected: ProjectedPoints, index: np.ndarray, tone: Tone,
              class_id: int) -> None:
        """
        Draw a texture on a flat face with four corners.

        :param texture: the texture.
        :param projected: points of the object.
        :param index: indices of the lower left, lower right, upper right and upper left corner.
        :param tone: light and haze on the face, from ``Light.tone``.
        :param class_id: class id of the label.
        """
        corners = self._outline(projected, index)
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
        image = texture.level(texture.height / max(tall, 1.0))
        rows, columns = image.shape[:2]
        (x, y, z), (ax, ay, az), _, (ux, uy, uz) = projected.camera[index].tolist()
        flat = np.array([((ax - x) / columns, (x - ux) / rows, ux),
                         ((ay - y) / columns, (y - uy) / rows, uy),
                         ((az - z) / columns, (z - uz) / rows, uz)])
        determinant, to_texture = cv2.invert(self.view.matrix @ flat)
        if determinant == 0:
            return
        to_texture[:, 2] += to_texture[:, 0] * (left + 0.5) + to_texture[:, 1] * (top + 0.5)
        patch = cv2.warpPerspective(
            image, to_texture, (width, height), borderMode=cv2.BORDER_REPLICATE,
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
        Draw a masked texture upright, facing the camera.

        :param texture: the texture, with a mask.
        :param foot: middle of the lower edge in camera coordinates ``[3]``.
        :param size: width and height, in metres.
        :param tone: light and haze on the texture.
        :param class_id: class id of the label.
        :param flip: whether to mirror the texture.
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
        image = texture.level(texture.height / tall)
        rows, columns = image.shape[:2]
        kx, ky = columns / wide, rows / tall
        shift_x = (left + 0.5 - x + wide / 2) * kx - 0.5
        if flip:
            kx, shift_x = -kx, columns - 1 - shift_x
        to_texture = np.array([[kx, 0, shift_x], [0, ky, (top + 0.5 - y + tall) * ky - 0.5]])
        patch = cv2.warpAffine(image, to_texture, (width, height),
                               flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        _, mask = cv2.threshold(patch[..., 3], 127, 1, cv2.THRESH_BINARY)
        self._paste((left, top, width, height), tone.paint(patch, class_id), mask)

    def _outline(self, projected: ProjectedPoints, index: np.ndarray) -> np.ndarray | None:
        if projected.ahead:
            return projected.corners[index]
        points = clip_near(projected.camera[index])
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
    """Convert pixels ``[N, 2]`` to OpenCV's fixed-point corners, limited to their range."""
    # Integer coordinates are the centres of pixels in OpenCV, and their upper left corners here.
    scaled = (pixels - 0.5) * (1 << SHIFT)
    scaled = np.minimum(np.maximum(scaled, -OUTSIDE), OUTSIDE)
    return np.rint(scaled).astype(np.int32)
