# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Street for a campaign: sequences drawn once, on all processor cores, into files."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import cv2
import numpy as np
import torch

from mfs_seg_core.data.clips.street import conditions_of, render
from mfs_seg_core.train.campaign.street_settings import PER_DRIVE, StreetSettings
from mfs_seg_core.util.files import written_aside

# Time between the starts of two sequences of a drive: far enough apart to differ.
APART_S = 4.0
REPORT_S = 10.0


def draw(data: StreetSettings, folder: Path, size: tuple[int, int]) -> None:
    """
    Draw the drives that have no file yet, and print their number.

    :param data: settings.
    :param folder: folder of the campaign.
    :param size: width and height of the frames.
    """
    # Drives to validate on first: without them, no stage can start.
    train, held_out = data.files(folder, size)
    missing = [path for path in (*held_out, *train) if not path.is_file()]
    if not missing:
        return
    missing[0].parent.mkdir(parents=True, exist_ok=True)
    begun = said = time.monotonic()
    # Not forked: OpenCV's threads do not exist in the child, which would wait for them forever.
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context('spawn')) as pool:
        drives = [pool.submit(_draw, path, data, size) for path in missing]
        try:
            for done, drive in enumerate(as_completed(drives), 1):
                drive.result()
                now = time.monotonic()
                if now - said > REPORT_S or done == len(drives):
                    rate = done * PER_DRIVE * data.length / (now - begun)
                    print(f'street: {done} of {len(drives)} drives drawn in {now - begun:.0f} s, '
                          f'{rate:.3g} frames/s', flush=True)
                    said = now
        finally:
            pool.shutdown(cancel_futures=True)


def _draw(path: Path, data: StreetSettings, size: tuple[int, int]) -> None:
    """Draw the sequences of a drive into a file, whole or not at all."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    seed = int(path.stem)
    low, high = data.rates_hz
    draws = np.random.default_rng((seed, 4)).random(PER_DRIVE)
    steps_s = 1 / (low * (high / low) ** draws)
    drive = render(seed, steps_s.tolist(), data.length, 1, APART_S, size, data.bins,
                   interpolated=True)
    with written_aside(path) as part, part.open('wb') as file:
        np.savez(file, images=drive.images, labels=drive.labels, events=drive.events,
                 steps_s=steps_s.astype(np.float32),
                 conditions=np.array(conditions_of(seed, PER_DRIVE, data.bins)))
