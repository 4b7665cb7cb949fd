# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Segment an event recording: a mask for every 50 ms.

``python examples/segment_events.py RECORDING FOLDER`` reads RAW, DAT, AEDAT, HDF5, text or a bag.
Needs the extra `events`.
"""

import sys
from pathlib import Path

from mfs_seg_core import EventWindow, Segmenter, open_recording
from mfs_seg_core.events.types import Events, concatenate
from mfs_seg_core.labels import colourise
from mfs_seg_core.util.image_file import save_image

WINDOW_US = 50_000


def main(path: str, folder: Path) -> None:
    """Write a picture of each mask."""
    segmenter = Segmenter.from_weights('street_lite')
    recording = open_recording(path)
    pending, start_us = None, 0
    for chunk in recording:
        if pending is None:
            pending, start_us = Events.empty(), int(chunk.t[0])
        pending = concatenate([pending, chunk])
        while pending.count and pending.t[-1] >= start_us + WINDOW_US:
            end_us = start_us + WINDOW_US
            inside = pending.t < end_us
            window = EventWindow(pending.where(inside), start_us, end_us, recording.size)
            mask = segmenter.step(events=window, elapsed_s=WINDOW_US / 1e6).mask
            save_image(folder / f'{start_us:012}.png', colourise(mask, segmenter.classes))
            pending, start_us = pending.where(~inside), end_us


if __name__ == '__main__':
    main(sys.argv[1], Path(sys.argv[2]))
