# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Class sets: names and palettes, and drawing masks with them."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

# Class id of a pixel without a class: no ground truth, or no prediction.
UNLABELLED = 255
# Longest name that weights files accept.
MAX_NAME = 100


@dataclass(frozen=True)
class ClassSet:
    """
    Names and colours of the classes 0..K-1.

    :param name: name of the set.
    :param names: names of the classes.
    :param palette: uint8 ``[K, 3]``, RGB.
    """

    name: str
    names: tuple[str, ...]
    palette: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    def named_ids(self) -> list[tuple[int, str]]:
        """Return ids and names, including 255, unlabelled."""
        return [*enumerate(self.names), (UNLABELLED, 'unlabelled')]


# SegNet's selection of CamVid (Brostow et al. 2008; Badrinarayanan et al. 2017).
CAMVID = ClassSet(
    'camvid',
    ('Sky', 'Building', 'Pole', 'Road', 'Pavement', 'Tree', 'SignSymbol', 'Fence', 'Car',
     'Pedestrian', 'Bicyclist'),
    np.array([[128, 128, 128], [128, 0, 0], [192, 192, 128], [128, 64, 128], [60, 40, 222],
              [128, 128, 0], [192, 128, 128], [64, 64, 128], [64, 0, 128], [64, 64, 0],
              [0, 128, 192]], np.uint8))

# Ev-SegNet's classes of DDD17 (Alonso and Murillo 2019): Cityscapes' categories, the sky being
# background as buildings are. Names and colours as in ESS (Sun et al. 2022).
DDD17 = ClassSet(
    'ddd17',
    ('flat', 'background', 'object', 'vegetation', 'human', 'vehicle'),
    np.array([[128, 64, 128], [70, 70, 70], [220, 220, 0], [107, 142, 35], [220, 20, 60],
              [0, 0, 142]], np.uint8))
# DSEC-Semantic (Sun et al. 2022). The background is the sky: here in Cityscapes' blue, not in the
# black of ESS, which marks unlabelled pixels.
DSEC = ClassSet(
    'dsec',
    ('background', 'building', 'fence', 'person', 'pole', 'road', 'sidewalk', 'vegetation', 'car',
     'wall', 'traffic sign'),
    np.array([[70, 130, 180], [70, 70, 70], [190, 153, 153], [220, 20, 60], [153, 153, 153],
              [128, 64, 128], [244, 35, 232], [107, 142, 35], [0, 0, 142], [102, 102, 156],
              [220, 220, 0]], np.uint8))

# By name.
SETS = {classes.name: classes for classes in (CAMVID, DDD17, DSEC)}


def check_class_name(where: str, name: str) -> None:
    """
    Check the name of a class or group.

    :param where: file and entry of the name, for the message.
    :param name: the name.
    :raises ValueError: it is empty, too long, or not printable; one sentence.
    """
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise ValueError(f'{where}: the name must have 1 to {MAX_NAME} printable letters')


def default_colour(number: int) -> tuple[int, int, int]:
    """
    Return the colour of a class that has none; those of close ids differ in hue.

    :param number: class id.
    :returns: red, green and blue, 0..255.
    """
    # Steps of the golden section.
    rgb = colorsys.hsv_to_rgb(number * 0.618 % 1, 0.55 + 0.15 * (number % 4), 0.9)
    return tuple(round(255 * part) for part in rgb)


def colourise(mask: np.ndarray, classes: ClassSet) -> np.ndarray:
    """
    Draw a mask in the colours of its classes; unlabelled pixels are black.

    :param mask: uint8 ``[H, W]`` of class ids.
    :param classes: classes of the mask.
    :returns: uint8 ``[H, W, 3]``, RGB.
    """
    palette = np.zeros((256, 3), np.uint8)
    palette[:len(classes)] = classes.palette
    return palette[mask]


def overlay(image: np.ndarray, mask: np.ndarray, classes: ClassSet, opacity: float = 0.5
            ) -> np.ndarray:
    """
    Draw the colours of a mask over its image; unlabelled pixels keep those of the image.

    :param image: uint8 ``[H, W, 3]``, RGB.
    :param mask: uint8 ``[H, W]`` of class ids.
    :param classes: classes of the mask.
    :param opacity: 0 shows the image alone, 1 the mask alone.
    :returns: uint8 ``[H, W, 3]``, RGB.
    :raises ValueError: mask and image differ in size.
    """
    if image.shape[:2] != mask.shape:
        raise ValueError(f'the mask is {mask.shape}, the image {image.shape[:2]}: '
                         'they must have one size')
    # 8-bit fixed point is several times quicker than float arithmetic.
    weight = np.uint16(round(opacity * 256))
    mixed = (image * (256 - weight) + colourise(mask, classes) * weight) >> 8
    mixed = mixed.astype(np.uint8)
    unlabelled = mask >= len(classes)
    mixed[unlabelled] = image[unlabelled]
    return mixed
