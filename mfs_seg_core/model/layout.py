# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Operations on tensors ``[T, B, C, H, W]`` that keep their memory layout, channels last.

T time steps of B independent streams are one batch of T * B images to convolutions and norms.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


def per_image(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """
    Apply a layer to each of the T * B images.

    :param layer: takes and returns ``[N, C, H, W]``.
    :param x: ``[T, B, C, H, W]``.
    :returns: ``[T, B, C', H', W']``.
    """
    if len(x) == 1:
        # Merging and splitting dimensions of size 1 discards the strides that mark channels last;
        # so does the gradient of x[0].
        return layer(x.squeeze(0)).unsqueeze(0)
    y = layer(x.flatten(0, 1))
    return y.unflatten(0, x.shape[:2])


def concatenate_channels(*currents: Tensor) -> Tensor:
    """Concatenate the channels of currents ``[T, B, C, H, W]``, each of its own C."""
    if len(currents[0]) == 1:
        # With five dimensions, the result would never be channels last.
        return torch.cat([x.squeeze(0) for x in currents], dim=1).unsqueeze(0)
    return torch.cat(currents, dim=2)


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize ``x`` to height and width ``size``, to the nearest element."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    return per_image(lambda y: functional.interpolate(y, size=size, mode='nearest'), x)


def enlarge(x: Tensor, size: tuple[int, int]) -> Tensor:
    """
    Enlarge images ``[N, C, H, W]`` bilinearly to height and width ``size``, in their own dtype.

    Autocast would return float32, and with it turn all layers after this one into float32.
    """
    with torch.autocast(x.device.type, enabled=False):
        return functional.interpolate(x, size=size, mode='bilinear')
