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
from mfs_seg_core.data.street.events import STEP_S
from mfs_seg_core.data.street.sensor import CONDITIONS
from mfs_seg_core.events.tensor import EventWindow, event_tensor
from mfs_seg_core.labels import CAMVID

# Conditions of the sequences of a drive, in turn; drives alternate between the two rows.
CAMERA_CONDITIONS = (('day',), ('dim',))
FUSION_CONDITIONS = (('day', 'night', 'dim'), ('blur', 'day', 'night'))


class StreetDrive(NamedTuple):
    """
    Sequences of one drive.

    - ``images``: uint8 ``[S, L, H, W, 3]``, RGB.
    - ``labels``: uint8 ``[S, P, H, W]``, class ids of the last frame of each clip.
    - ``events``: event tensors, uint8 ``[S, L, H, W, E]`` in units of 1 /
      :data:`~mfs_seg_core.data.clips.clip.EVENT_BYTE_SCALE`; empty: no events.
    """

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
        steps_s = [self.steps_s[i * self.PER_DRIVE:(i + 1) * self.PER_DRIVE].tolist()
                   for i in range(len(drives))]
        job = partial(render, length=length, frames=frames, apart_s=self.APART_S, size=size,
                      bins=bins)
        # Not forked: OpenCV's threads do not exist in the child, which would wait for them forever.
        with ProcessPoolExecutor(mp_context=multiprocessing.get_context('spawn')) as pool:
            self.drives = list(pool.map(job, drives, steps_s))

    def __len__(self) -> int:
        return self.sequences * self.length

    def __getitem__(self, index: int) -> Clip:
        sequence, place = divmod(index, self.length)
        number, row = divmod(sequence, self.PER_DRIVE)
        drive = self.drives[number]
        clip = slice(place * self.frames, (place + 1) * self.frames)
        return Clip(drive.images[row, clip], drive.labels[row, place],
                    float(self.steps_s[sequence]), place > 0, index, drive.events[row, clip])


def conditions_of(seed: int, sequences: int, bins: int) -> list[str]:
    """Return the conditions of the sequences of a drive, with or without events."""
    conditions = (FUSION_CONDITIONS if bins else CAMERA_CONDITIONS)[seed % 2]
    return [conditions[index % len(conditions)] for index in range(sequences)]


def render(seed: int, steps_s: list[float], length: int, frames: int, apart_s: float,
           size: tuple[int, int], bins: int, interpolated: bool = False) -> StreetDrive:
    """
    Render the sequences of a drive.

    :param seed: seed of the drive.
    :param steps_s: time between two frames in each sequence, in seconds.
    :param length: clips per sequence.
    :param frames: frames per clip.
    :param apart_s: time from the start of a sequence to that of the next one, in seconds.
    :param size: width and height, in pixels.
    :param bins: time bins per window and polarity of the event tensors; 0: no events.
    :param interpolated: render every second scene of the events, and interpolate the others: half
        the time, for events that are nearly as accurate.
    :returns: images, labels and event tensors.
    """
    cv2.setNumThreads(1)
    street = Street(seed, *size)
    scenes = dict(step_s=2 * STEP_S, interpolated=1) if interpolated else {}
    images, labels, tensors = [], [], []
    for index, (step_s, condition) in enumerate(
            zip(steps_s, conditions_of(seed, len(steps_s), bins))):
        poor = CONDITIONS[condition]
        camera = street if poor is None else DimCamera(street, **poor)
        event_camera = EventCamera(street, getattr(camera, 'white', None), **scenes)
        for place in range(length * frames):
            # Starts one step late: the first frame's events begin one step before it.
            time_s = index * apart_s + (place + 1) * step_s
            if bins:
                # Before the camera, which then has the scene of their end.
                tensors.append(_tensor(event_camera, time_s - step_s, time_s, bins, size))
            frame = camera.frame(time_s)
            images.append(frame.image)
            if place % frames == frames - 1:
                labels.append(frame.label)

    def by_sequence(arrays: list[np.ndarray]) -> np.ndarray:
        stacked = np.array(arrays)
        return stacked.reshape(len(steps_s), len(arrays) // len(steps_s), *stacked.shape[1:])

    return StreetDrive(*map(by_sequence, (images, labels, tensors)))


def _tensor(camera: EventCamera, start_s: float, end_s: float, bins: int, size: tuple[int, int]
            ) -> np.ndarray:
    """Return the event tensor of an interval as bytes ``[H, W, 2 * bins]``."""
    events = camera.events(start_s, end_s)
    window = EventWindow(events, round(start_s * 1e6), round(end_s * 1e6), size)
    tensor = event_tensor(window, bins, *size).transpose(1, 2, 0)
    return np.clip(np.rint(tensor * EVENT_BYTE_SCALE), 0, 255).astype(np.uint8)
