# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips of Street by day and in poor light, with or without events of the same scene."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np

from mfs_seg_core.data.clips.clip import EVENT_BYTE_SCALE, Clip
from mfs_seg_core.data.street import DimCamera, EventCamera, Street
from mfs_seg_core.data.street.sensor import CONDITIONS
from mfs_seg_core.events.tensor import EventWindow, event_tensor
from mfs_seg_core.labels import CAMVID

# Conditions of the sequences of a drive, in turn; drives alternate between the two rows.
CAMERA_CONDITIONS = (('day',), ('dim',))
FUSION_CONDITIONS = (('day', 'night', 'dim'), ('blur', 'day', 'night'))


class _Drive(NamedTuple):
    """Sequences of one drive: images, labels of the last frame of each clip, and event tensors."""

    images: np.ndarray
    labels: np.ndarray
    events: np.ndarray


class StreetClips:
    """
    Clips of Street, rendered once and kept in memory.

    A frame of 240x180 pixels takes 130 kB, with events 300 kB. Sequences are by day or in poor
    light (:data:`mfs_seg_core.data.street.sensor.CONDITIONS`). Their frame rates differ; the
    geometric mean is about ``rate_hz``.
    """

    still, channels, classes = False, 3, CAMVID
    # Setting up a drive takes as long as several frames: render several sequences of each drive,
    # far enough apart to differ.
    PER_DRIVE = 6
    APART_S = 2.5
    # Ratio of the highest frame rate to the lowest.
    RATES = 4.0

    def __init__(self, first_seed: int, sequences: int, length: int, frames: int,
                 size: tuple[int, int], rate_hz: float = 20.0, bins: int = 0):
        """
        Render all sequences in parallel processes.

        :param first_seed: seed of the first drive; the next ones count up.
        :param sequences: number of sequences, ``PER_DRIVE`` per drive.
        :param length: clips per sequence.
        :param frames: frames per clip.
        :param size: width and height, in pixels.
        :param rate_hz: geometric mean of the frame rates.
        :param bins: time bins per window and polarity of the event tensors; 0: no events.
        """
        self.length, self.frames, self.sequences = length, frames, sequences
        drives = range(first_seed, first_seed - (-sequences // self.PER_DRIVE))
        spread = self.RATES ** (np.random.default_rng(first_seed).random(sequences) - 0.5)
        self.steps_s = spread / rate_hz
        jobs = [(seed, self.steps_s[i * self.PER_DRIVE:(i + 1) * self.PER_DRIVE])
                for i, seed in enumerate(drives)]
        render = partial(_render, length=length, frames=frames, apart_s=self.APART_S, size=size,
                         bins=bins)
        # Not forked: OpenCV's threads do not exist in the child, which would wait for them forever.
        with ProcessPoolExecutor(mp_context=multiprocessing.get_context('spawn')) as pool:
            self.drives = list(pool.map(render, jobs))

    def __len__(self) -> int:
        return self.sequences * self.length

    def __getitem__(self, index: int) -> Clip:
        sequence, place = divmod(index, self.length)
        number, row = divmod(sequence, self.PER_DRIVE)
        drive = self.drives[number]
        clip = slice(place * self.frames, (place + 1) * self.frames)
        return Clip(drive.images[row, clip], drive.labels[row, place],
                    float(self.steps_s[sequence]), place > 0, index, drive.events[row, clip])


def _render(job: tuple[int, np.ndarray], length: int, frames: int, apart_s: float,
            size: tuple[int, int], bins: int) -> _Drive:
    seed, steps_s = job
    cv2.setNumThreads(1)
    street = Street(seed, *size)
    conditions = (FUSION_CONDITIONS if bins else CAMERA_CONDITIONS)[seed % 2]
    sequences, tensors = [], []
    for index, step_s in enumerate(steps_s.tolist()):
        poor = CONDITIONS[conditions[index % len(conditions)]]
        camera = street if poor is None else DimCamera(street, **poor)
        start_s = index * apart_s
        # Starts one step late: the first frame's events begin one step before it.
        times = [start_s + (i + 1) * step_s for i in range(length * frames)]
        sequences.append([camera.frame(time_s) for time_s in times])
        event_camera = EventCamera(street, getattr(camera, 'white', None)) if bins else None
        tensors.append([_tensor(event_camera, time_s - step_s, time_s, bins, size)
                        for time_s in times if event_camera])
    return _Drive(
        np.array([[frame.image for frame in sequence] for sequence in sequences]),
        np.array([[frame.label for frame in sequence[frames - 1::frames]]
                  for sequence in sequences]),
        np.array(tensors))


def _tensor(camera: EventCamera, start_s: float, end_s: float, bins: int, size: tuple[int, int]
            ) -> np.ndarray:
    """Return the event tensor of an interval as bytes ``[H, W, 2 * bins]``."""
    events = camera.events(start_s, end_s)
    window = EventWindow(events, round(start_s * 1e6), round(end_s * 1e6), size)
    tensor = event_tensor(window, bins, *size).transpose(1, 2, 0)
    return np.clip(np.rint(tensor * EVENT_BYTE_SCALE), 0, 255).astype(np.uint8)
