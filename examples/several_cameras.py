# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Segment several cameras as one batch: one network, and a state for each camera.

``python examples/several_cameras.py`` prints the share of road that each of three cameras has in
view.
"""

from mfs_seg_core import Segmenter
from mfs_seg_core.data.street import Street
from mfs_seg_core.streaming.segmenter import step_together

CAMERAS, FRAMES = 3, 10


def main() -> None:
    """Print the share of the class Road in the masks of each frame."""
    first = Segmenter.from_weights('street_lite')
    # Siblings share the network of the first one.
    segmenters = [first, *(first.sibling() for _ in range(CAMERAS - 1))]
    drives = [Street(seed) for seed in range(CAMERAS)]
    road = first.classes.names.index('Road')
    for index in range(FRAMES):
        steps = [(segmenter, segmenter.prepare(drive.frame(index / 20).image))
                 for segmenter, drive in zip(segmenters, drives)]
        shares = [(result.mask == road).mean() for result in step_together(steps)]
        print(f'frame {index}: ' + '  '.join(f'{share:.1%}' for share in shares))


if __name__ == '__main__':
    main()
