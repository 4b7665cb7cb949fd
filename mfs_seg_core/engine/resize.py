# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Resize images and masks in C++, to the same pixels as torch, with which we train.

Images with anti-aliasing, masks by the nearest pixels.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from mfs_seg_core.engine.library import library
from mfs_seg_core.engine.memory import address

# Weights have 16 bits.
MAX_WEIGHT = 1 << 15
MAX_PRECISION = 22


class Filter(NamedTuple):
    """
    Weights of the inputs of each output element.

    :param first: int32 ``[outputs]``, the first input.
    :param weights: int16 ``[outputs, taps]``, in fixed point; taps are a multiple of two.
    :param precision: number of binary digits of the fraction.
    """

    first: np.ndarray
    weights: np.ndarray
    precision: int


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """
    Resize an image by a triangle filter as wide as the distance of the new pixels.

    :param image: uint8 ``[H, W, 3]``, which may be read-only.
    :param size: width and height.
    :returns: uint8 ``[h, w, 3]`` of that size, a copy.
    :raises EngineUnavailableError: the library cannot run here.
    """
    height, width = image.shape[:2]
    if (width, height) == tuple(size):
        return np.array(image, order='C')
    image = np.ascontiguousarray(image)
    across, down = triangle_filter(width, size[0]), triangle_filter(height, size[1])
    result = np.empty((size[1], size[0], 3), np.uint8)
    line = np.empty((width + across.weights.shape[1] + 2) * 3, np.uint8)
    between = np.empty(height * size[0] * 3 + 1, np.uint8)
    library().resize(
        address(image), width, height, address(result), *size,
        address(across.first), address(across.weights), across.weights.shape[1], across.precision,
        address(down.first), address(down.weights), down.weights.shape[1], down.precision,
        address(line), address(between))
    return result


def enlarge_masks(masks: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """
    Enlarge masks by the nearest pixels.

    :param masks: uint8 ``[N, h, w]``, contiguous.
    :param size: height H and width W, not smaller.
    :returns: uint8 ``[N, H, W]``.
    :raises EngineUnavailableError: the library cannot run here.
    """
    count, height, width = masks.shape
    result = np.empty((count, *size), np.uint8)
    rows, columns = nearest(height, size[0]), nearest(width, size[1])
    for mask, larger in zip(masks, result):
        library().enlarge(address(mask), width, address(larger), size[1], size[0], address(rows),
                          address(columns))
    return result


@lru_cache(maxsize=16)
def nearest(given: int, wanted: int) -> np.ndarray:
    """Return the nearest input of each output element, int32 ``[wanted]``."""
    return (np.arange(wanted) * given // wanted).astype(np.int32)


@lru_cache(maxsize=16)
def triangle_filter(given: int, wanted: int) -> Filter:
    """
    Return the filter from one number of elements to another, as torch and Pillow have it.

    :param given: elements of the input.
    :param wanted: elements of the output.
    :returns: the filter.
    """
    scale = given / wanted
    support = max(scale, 1.0)
    centre = scale * (np.arange(wanted) + 0.5)
    first = np.maximum((centre - support + 0.5).astype(np.int64), 0)
    last = np.minimum((centre + support + 0.5).astype(np.int64), given)
    taps = int((last - first).max())
    taps += taps % 2
    places = first[:, None] + np.arange(taps)
    weights = np.maximum(1 - np.abs((places - centre[:, None] + 0.5) / support), 0)
    weights[places >= last[:, None]] = 0
    weights /= weights.sum(1, keepdims=True)
    precision = 0
    while precision < MAX_PRECISION and (
            int(0.5 + weights.max() * (1 << precision + 1)) < MAX_WEIGHT):
        precision += 1
    return Filter(first.astype(np.int32), (0.5 + weights * (1 << precision)).astype(np.int16),
                  precision)
