# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Modality dropout on a device: the steps of B streams at which camera and events have data."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

from mfs_seg_core.data.clips.modality_dropout import SHARES, SLOWEST

FUSION, CAMERA, EVENTS, SLOW_CAMERA, OUTAGE = range(len(SHARES))


class Modalities(NamedTuple):
    """
    Random numbers of B streams, as :func:`draw_modalities` of the clips draws them.

    - ``kind``: place in :data:`SHARES`, int64 ``[B]``;
    - ``every``: steps from one frame of a slow camera to the next, ``phase``: the first of them;
    - ``first``, ``last``: first step of an outage of the camera, and the step after it.
    """

    kind: Tensor
    every: Tensor
    phase: Tensor
    first: Tensor
    last: Tensor


def draw_on_device(count: int, steps: int, device: str, camera: float = SHARES['camera']
                   ) -> Modalities:
    """
    Draw the modalities of a batch with torch's generator of the device.

    :param count: number of streams B.
    :param steps: number of steps of a stream, among which an outage lies.
    :param device: torch device.
    :param camera: share of the streams with the camera alone; the other kinds share the rest.
    :returns: one draw for each stream.
    """
    def whole(numbers: Tensor | int) -> Tensor:
        """Return whole numbers from 0 to below ``numbers``."""
        return (torch.rand(count, device=device) * numbers).long()

    share = torch.rand(count, device=device)
    rest = (1 - camera) / (1 - SHARES['camera'])
    shares = [camera if name == 'camera' else rest * value for name, value in SHARES.items()]
    kind = sum((share >= bound).long() for bound in list(accumulate(shares))[:-1])
    every = 2 + whole(SLOWEST - 1)
    one, other = whole(steps + 1), whole(steps + 1)
    return Modalities(kind, every, whole(every), torch.minimum(one, other),
                      torch.maximum(one, other))


def present(drawn: Modalities, step: Tensor) -> Tensor:
    """
    Return which modalities have data.

    :param drawn: draws of B streams.
    :param step: number of the step in each stream, int64 ``[B]``.
    :returns: bool ``[B, 2]``, whether camera and events have data.
    """
    kind = drawn.kind
    absent = ((kind == EVENTS) | ((kind == SLOW_CAMERA) & (step % drawn.every != drawn.phase))
              | ((kind == OUTAGE) & (step >= drawn.first) & (step < drawn.last)))
    return torch.stack([~absent, kind != CAMERA], 1)
