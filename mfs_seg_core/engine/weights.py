# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights of convolutions as small integers, in the order in which the kernels read them."""

from __future__ import annotations

import numpy as np

from mfs_seg_core.engine.layout import GROUP, PANEL

# Symmetric: -128 is unused, so that bounds are the same on both sides.
LARGEST = 127
# Of a sum of products, in 32 bits.
MAX_SUM = 2 ** 31 - 1


def quantise(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Round weights to 8 bits, with a scale for each output channel.

    :param weight: float32 ``[N, ...]``.
    :returns: int8 of the same shape, and the scales, float32 ``[N]``: weight = scale * integer.
    """
    largest = np.abs(weight).reshape(len(weight), -1).max(1)
    scale = np.where(largest > 0, largest / LARGEST, 1).astype(np.float32)
    shape = (-1,) + (1,) * (weight.ndim - 1)
    return np.rint(weight / scale.reshape(shape)).astype(np.int8), scale


def place(values: np.ndarray, axis: int, starts: list[int], channels: tuple[int, ...], width: int
          ) -> np.ndarray:
    """
    Spread channels over a padded axis, with zeros between.

    :param values: an array with ``sum(channels)`` elements along ``axis``.
    :param axis: the axis.
    :param starts: first element of each group of channels in the result.
    :param channels: channels of each group.
    :param width: elements of the axis in the result.
    :returns: an array with ``width`` elements along ``axis``.
    """
    values = np.moveaxis(values, axis, 0)
    result = np.zeros((width, *values.shape[1:]), values.dtype)
    taken = 0
    for start, count in zip(starts, channels):
        result[start:start + count] = values[taken:taken + count]
        taken += count
    return np.moveaxis(result, 0, axis)


def pack_dense(weight: np.ndarray) -> np.ndarray:
    """
    Pack the weights of a dense convolution into panels of 16 outputs and groups of 4 inputs.

    :param weight: int8 ``[N, C, k, k]``, C a multiple of 4.
    :returns: int8 ``[panels, k * k * C / 4, 16, 4]``.
    """
    rows = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1)
    panels = -(-len(rows) // PANEL)
    rows = np.pad(rows, ((0, panels * PANEL - len(rows)), (0, 0)))
    return np.ascontiguousarray(
        rows.reshape(panels, PANEL, -1, GROUP).transpose(0, 2, 1, 3))


def pack_depthwise(weight: np.ndarray, taps: int) -> np.ndarray:
    """
    Pack the weights of a depthwise convolution.

    :param weight: int8 ``[C, k, k]``.
    :param taps: rows of the kernel whose weights are side by side.
    :returns: int8 ``[k / taps, k, C, taps]``, k / taps rounded up; int16 for one row.
    """
    size = weight.shape[-1]
    rows = np.pad(weight, ((0, 0), (0, -size % taps), (0, 0)))
    packed = rows.reshape(len(weight), -1, taps, size).transpose(1, 3, 0, 2)
    return np.ascontiguousarray(packed, np.int16 if taps == 1 else np.int8)


def groups_in_16_bits(spike: int) -> int:
    """Return how many pairs of products of spikes up to ``spike`` 16 bits can sum up."""
    return 32767 // (2 * LARGEST * spike)


def taps_in_16_bits(weight: np.ndarray, spike: int) -> int:
    """
    Return how many products of a depthwise convolution 16 bits can sum up.

    Spikes are not negative, so no partial sum of a channel, in whatever order, is larger than the
    sum of its weights' sizes times the largest spike. Where that fits, all taps do.

    :param weight: int8 ``[C, k, k]``.
    :param spike: largest spike.
    :returns: number of taps.
    """
    largest = np.abs(weight.reshape(len(weight), -1).astype(np.int64)).sum(1).max()
    return weight[0].size if largest * spike <= 32767 else 32767 // (LARGEST * spike)
