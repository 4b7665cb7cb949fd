# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the middleware, as it is set up, can carry camera images without loss."""

from __future__ import annotations

from collections.abc import Mapping

from mfs_seg_ros.node.fastdds_environment import PROFILE, PROFILE_VARIABLES

TRANSPORTS_VARIABLE = 'FASTDDS_BUILTIN_TRANSPORTS'


def transport_warning(rmw: str, environment: Mapping[str, str]) -> str | None:
    """
    Return what to tell the user about lost images, or None when nothing is wrong.

    Fast DDS gives shared memory 512 KiB, less than one image of 640x480 RGB: best-effort images
    are then lost without a word.
    """
    if not rmw.startswith('rmw_fastrtps'):
        return None
    if any(environment.get(name) for name in PROFILE_VARIABLES):
        return None
    if environment.get(TRANSPORTS_VARIABLE, '').startswith('LARGE_DATA'):
        return None
    return (
        'Fast DDS runs with its default transports: images of more than 512 KiB may be lost '
        f'without a word; set {" and ".join(PROFILE_VARIABLES)} to config/{PROFILE} of '
        f'mfs_seg_ros (traffic then stays on this machine), or {TRANSPORTS_VARIABLE} to LARGE_DATA '
        '(Jazzy and later)'
    )
