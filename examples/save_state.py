# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Save the state of a stream, and continue the stream from the file in another process.

``python examples/save_state.py STATE.npz`` shows that both streams have the same masks.
"""

import sys

import numpy as np

from mfs_seg_core import Segmenter
from mfs_seg_core.data.street import Street

FRAMES = 5


def main(path: str) -> None:
    """Interrupt a stream, continue it from a file, and compare the masks."""
    drive = Street(0)
    frames = [drive.frame(index / 20).image for index in range(2 * FRAMES)]
    segmenter = Segmenter.from_weights('street_lite')
    for frame in frames[:FRAMES]:
        segmenter.step(frame)
    # A mapping: float32 [1, C, h, w] by name of the layer; None is rest.
    np.savez(path, **segmenter.state)

    other = Segmenter.from_weights('street_lite')
    with np.load(path) as state:
        other.state = dict(state)
    same = [np.mean(other.step(frame).mask == segmenter.step(frame).mask)
            for frame in frames[FRAMES:]]
    print(f'{len(segmenter.state)} potentials; same mask in {min(same):.0%} of pixels')


if __name__ == '__main__':
    main(sys.argv[1])
