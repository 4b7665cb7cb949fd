# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Segment a video, or images in a folder, with the state kept from frame to frame.

``python examples/segment_video.py INPUT FOLDER`` writes an overlay of each frame. INPUT may also be
``street``, a bag or a CamVid folder. Needs the extra `data`.
"""

import sys
from itertools import islice
from pathlib import Path

from mfs_seg_core import Segmenter
from mfs_seg_core.labels import overlay
from mfs_seg_core.sources.open_source import open_source
from mfs_seg_core.util.image_file import save_image

LIMIT = 100


def main(path: str, folder: Path) -> None:
    """Write the overlays of the first frames."""
    segmenter = Segmenter.from_weights('street_lite')
    last_s = None
    for index, frame in enumerate(islice(open_source(path), LIMIT)):
        # The potentials leak by the time that has passed; None is the step of the weights.
        elapsed_s = None if last_s is None else frame.time_s - last_s
        last_s = frame.time_s
        mask = segmenter.step(frame.image, elapsed_s).mask
        save_image(folder / f'{index:04}.png', overlay(frame.image, mask, segmenter.classes))


if __name__ == '__main__':
    main(sys.argv[1], Path(sys.argv[2]))
