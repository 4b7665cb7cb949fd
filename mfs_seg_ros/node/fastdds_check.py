# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the shared memory of Fast DDS in this process is large enough for camera images."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mfs_seg_ros.node.fastdds_environment import PROFILE, PROFILE_VARIABLES

TRANSPORTS_VARIABLE = 'FASTDDS_BUILTIN_TRANSPORTS'
# With its options: by itself, LARGE_DATA has shared memory of 512 KiB too.
LARGE_DATA = 'LARGE_DATA?max_msg_size=1MB&sockets_size=1MB&non_blocking=true'
RANGE_VARIABLES = {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'ROS_LOCALHOST_ONLY': '1'}
# An RGB image of 640x480 has 900 KiB.
LEAST_BYTES = 1 << 20
# Fast DDS locks this file for each segment of its own: its name is that of the segment and _el.
LOCK = re.compile(r'(/dev/shm/fast(?:rtps|dds)_[0-9a-f]+)_el')


def segment_bytes() -> int | None:
    """
    Return the size of the largest shared memory segment of Fast DDS that this process created.

    :returns: size in bytes, 0 without shared memory; None: unknown, as the system is not Linux.
    """
    files = Path('/proc/self/fd')
    if not files.is_dir():
        return None
    sizes = [0]
    for file in files.iterdir():
        try:
            if lock := LOCK.fullmatch(str(file.readlink())):
                sizes.append(Path(lock[1]).stat().st_size)
        except OSError:
            # Closed meanwhile.
            continue
    return max(sizes)


def transport_warning(rmw: str, environment: Mapping[str, str], size: int | None) -> str | None:
    """
    Return a warning if Fast DDS would drop camera images.

    By default its shared memory has 512 KiB, less than one RGB image of 640x480, and best-effort
    images that do not fit are dropped without an error. The memory in use decides, as several
    variables change it.

    :param rmw: identifier of the RMW implementation, such as ``rmw_fastrtps_cpp``.
    :param environment: environment variables of the process.
    :param size: as :func:`segment_bytes` returns it once a node exists.
    :returns: warning with the cause and the remedy; None: nothing to warn of.
    """
    if not rmw.startswith('rmw_fastrtps') or size is None or size >= LEAST_BYTES:
        return None
    memory = f'only {size >> 10} KiB of shared memory' if size else 'no shared memory'
    overruling = [name for name, value in RANGE_VARIABLES.items()
                  if environment.get(name, '').upper() == value]
    cause = (f' ({overruling[0]} overrules {TRANSPORTS_VARIABLE})'
             if overruling and environment.get(TRANSPORTS_VARIABLE) else '')
    return (
        f'Fast DDS uses {memory} here{cause}: larger images may be dropped without an error; set '
        f'{" and ".join(PROFILE_VARIABLES)} to config/{PROFILE} of mfs_seg_ros (traffic then stays '
        f"on this machine), or {TRANSPORTS_VARIABLE} to '{LARGE_DATA}' (Jazzy and later, images up "
        f'to 1 MB, not together with {" or ".join(RANGE_VARIABLES)})'
    )
