# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the shared memory of Fast DDS is large enough for camera images."""

from __future__ import annotations

from collections.abc import Mapping

from mfs_seg_ros.node.fastdds_environment import PROFILE, PROFILE_VARIABLES

TRANSPORTS_VARIABLE = 'FASTDDS_BUILTIN_TRANSPORTS'


def transport_warning(rmw: str, environment: Mapping[str, str]) -> str | None:
    """
    Return a warning if Fast DDS would drop camera images.

    By default its shared memory has 512 KiB, less than one RGB image of 640x480, and best-effort
    images that do not fit are dropped without an error.

    :param rmw: identifier of the RMW implementation, such as ``rmw_fastrtps_cpp``.
    :param environment: environment variables of the process.
    :returns: warning with the remedy; None: nothing to warn of.
    """
    if not rmw.startswith('rmw_fastrtps'):
        return None
    if any(environment.get(name) for name in PROFILE_VARIABLES):
        return None
    if environment.get(TRANSPORTS_VARIABLE, '').startswith('LARGE_DATA'):
        return None
    return (
        'Fast DDS runs with its default transports: images of more than 512 KiB may be '
        f'dropped without an error: set {" and ".join(PROFILE_VARIABLES)} to config/{PROFILE} of '
        f'mfs_seg_ros (traffic then stays on this machine), or {TRANSPORTS_VARIABLE} to LARGE_DATA '
        '(Jazzy and later)'
    )
