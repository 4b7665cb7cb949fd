# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Draw labelled points of a frame of Street, seen from above and behind its camera.

``python examples/labelled_points.py PICTURE``

Street renders no depth. Here the ground is a plane, and all else stands upright on it.
"""

import sys
from pathlib import Path

import numpy as np

from mfs_seg_core import Segmenter
from mfs_seg_core.class_groups import load_groups
from mfs_seg_core.data.street import Street
from mfs_seg_core.labels import colourise
from mfs_seg_core.points.cells import FIELDS, packed_colours, write_depth
from mfs_seg_core.points.pinhole import PinholeCamera
from mfs_seg_core.util.image_file import save_image

WIDTH, HEIGHT, FRAMES = 640, 480, 10
# Street's camera: focal length over width, and height above the ground in metres.
CAMERA = PinholeCamera(WIDTH, HEIGHT, 0.92 * WIDTH, 0.92 * WIDTH, WIDTH / 2, HEIGHT / 2)
CAMERA_HEIGHT, FARTHEST = 1.5, 45.0
GROUND, SKY = ('drivable', 'walkable'), 'sky'
# The viewer: metres behind and above the camera, and its angle downwards.
BEHIND, ABOVE, ANGLE = 1.0, 3.0, 0.25


def upright_depth(groups: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return the depth in metres of a mask of groups; 0: none."""
    rows = np.arange(HEIGHT)[:, None]
    ground = np.isin(groups, [names.index(name) for name in GROUND]) & (rows > HEIGHT / 2)
    # The row of the ground at or below each pixel.
    foot = np.minimum.accumulate(np.where(ground, rows, HEIGHT)[::-1])[::-1]
    depth = CAMERA_HEIGHT * CAMERA.fy / np.maximum(foot - CAMERA.cy, 1)
    depth[(groups == names.index(SKY)) | (depth > FARTHEST)] = 0
    return depth.astype(np.float32)


def view_from_above(cells: np.ndarray) -> np.ndarray:
    """Return an image of labelled points, uint8 [HEIGHT, WIDTH, 3]."""
    points = cells[np.isfinite(cells[..., 2])]
    x, y, z = points[:, 0], points[:, 1] + ABOVE, points[:, 2] + BEHIND
    y, z = (y * np.cos(ANGLE) - z * np.sin(ANGLE), y * np.sin(ANGLE) + z * np.cos(ANGLE))
    column = np.rint(CAMERA.fx * x / z + CAMERA.cx).astype(int)
    row = np.rint(CAMERA.fy * y / z + CAMERA.cy).astype(int)
    image = np.full((HEIGHT, WIDTH, 3), 24, np.uint8)
    # Near points are drawn over far ones.
    order = np.argsort(-z)
    order = order[((column >= 0) & (column < WIDTH - 1) & (row >= 0) & (row < HEIGHT - 1))[order]]
    rgb = points[order].view(np.uint32)[:, 3, None] >> np.array([16, 8, 0], np.uint32) & 255
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        image[row[order] + down, column[order] + right] = rgb
    return image


def main(picture: Path) -> None:
    """Draw an image, its mask in groups, and its points."""
    segmenter = Segmenter.from_weights('street_lite')
    groups = load_groups('drivable', segmenter.classes)
    street = Street(17, WIDTH, HEIGHT)
    for frame, _ in zip(street, range(FRAMES)):
        mask = groups.apply(segmenter.step(frame.image).mask)
    cells = np.empty((HEIGHT, WIDTH, len(FIELDS)), np.float32)
    write_depth(cells, upright_depth(mask, groups.classes.names), mask, CAMERA,
                packed_colours(groups.classes))
    save_image(picture, np.hstack([
        frame.image, colourise(mask, groups.classes), view_from_above(cells)])[::2, ::2])


if __name__ == '__main__':
    main(Path(sys.argv[1]))
