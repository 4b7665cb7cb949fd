# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Currents of a camera and an event camera, either of which may be absent in a step."""

from __future__ import annotations

from torch import Tensor

from mfs_seg_core.model.blocks import Stem

# Places in the last dimension of the tensor ``present``.
CAMERA, EVENTS = 0, 1


def presence(given: Tensor | None, present: Tensor | None, sensor: int) -> float | Tensor:
    """
    Return 1 where a sensor is present, else 0.

    :param given: input of the sensor; None: absent in all streams.
    :param present: bool ``[T, B, 2]``; None: present in all streams if there is an input.
    :param sensor: :data:`CAMERA` or :data:`EVENTS`.
    :returns: one number, or a tensor ``[T, B, 1, 1, 1]``.
    """
    if given is None or present is None:
        return float(given is not None)
    return present[..., sensor, None, None, None]


def stem_currents(camera: Stem, event_camera: Stem, images: Tensor | None, events: Tensor | None,
                  present: Tensor | None) -> tuple[Tensor, Tensor]:
    """
    Return the currents of both stems, 0 where a sensor is absent.

    :param camera: stem of the camera.
    :param event_camera: stem of the event camera.
    :param images: ``[T, B, C, H, W]``; None: the camera is absent in all streams.
    :param events: ``[T, B, E, H, W]``; None: the event camera is absent in all streams.
    :param present: as in :func:`presence`.
    :returns: currents ``[T, B, c, h, w]`` of the camera and of the event camera.
    """
    # Inputs of absent sensors count in the statistics of the norm, so they pass the stem.
    from_camera, from_events = (
        None if x is None else stem(x) * presence(x, present, sensor)
        for stem, x, sensor in ((camera, images, CAMERA), (event_camera, events, EVENTS)))
    if from_camera is None:
        from_camera = _silent(from_events, camera.conv.out_channels)
    if from_events is None:
        from_events = _silent(from_camera, event_camera.conv.out_channels)
    return from_camera, from_events


def _silent(like: Tensor, channels: int) -> Tensor:
    """Return a current of zeros ``[T, B, channels, h, w]`` of the size of another."""
    steps, streams, _, height, width = like.shape
    # Channels last in memory.
    return like.new_zeros(steps, streams, height, width, channels).permute(0, 1, 4, 2, 3)
