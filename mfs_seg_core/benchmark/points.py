# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Time to label the points of a depth image, and of a cloud of as many points."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from mfs_seg_core.labels import CAMVID
from mfs_seg_core.points.cells import FIELDS, packed_colours, write_cloud, write_depth
from mfs_seg_core.points.pinhole import PinholeCamera

CAMERA = PinholeCamera(640, 480, 500.0, 500.0, 319.5, 239.5)


def points(rounds: int) -> None:
    """
    Print medians.

    :param rounds: number of rounds.
    """
    rng = np.random.default_rng(0)
    size = CAMERA.height, CAMERA.width
    depth = rng.uniform(1, 50, size).astype(np.float32)
    mask = rng.integers(0, len(CAMVID), size, np.uint8)
    colours = packed_colours(CAMVID)
    cells = np.zeros((*size, len(FIELDS)), np.float32)
    write_depth(cells, depth, mask, CAMERA, colours)
    cloud = cells[..., :3].copy()
    print(f'Labelled points of {CAMERA.width}x{CAMERA.height} pixels, median of {rounds} rounds')
    for name, call in (
            ('depth image', lambda: write_depth(cells, depth, mask, CAMERA, colours)),
            ('point cloud', lambda: write_cloud(cells, cloud, mask, CAMERA, colours))):
        print(f'{name:<12} {_median_ms(call, rounds):6.1f} ms')


def _median_ms(call: Callable[[], None], rounds: int) -> float:
    times_s = []
    for _ in range(rounds):
        start_s = time.perf_counter()
        call()
        times_s.append(time.perf_counter() - start_s)
    return 1e3 * statistics.median(times_s)
