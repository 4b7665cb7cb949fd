# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The clips that the settings of a training run ask for."""

from __future__ import annotations

from mfs_seg_core.data.clips.clip import CamVidClips
from mfs_seg_core.data.clips.street import StreetClips
from mfs_seg_core.data.street.seeds import TRAINING_SEED, VALIDATION_SEED

VALIDATION_SEQUENCES = 100
# Frames of a sequence, of which the last has the label: what was longer ago is forgotten.
VALIDATION_FRAMES = 8


def open_clips(settings, nominal_step: float):
    """
    Give the clips to train on, and those to validate on, where a clip is a whole sequence.

    :param settings: see :class:`mfs_seg_core.train.settings.Settings`.
    :raises ValueError: the data are not there, or not as expected.
    """
    length, frames = settings.length, settings.frames
    if settings.data == 'street':
        bins = settings.bins if settings.events else 0
        return (StreetClips(TRAINING_SEED, settings.sequences, length, frames, settings.size,
                            bins=bins),
                StreetClips(VALIDATION_SEED, VALIDATION_SEQUENCES, 1,
                            min(length * frames, VALIDATION_FRAMES), settings.size, bins=bins))
    if settings.data == 'camvid':
        return tuple(CamVidClips(settings.root, split, frames, nominal_step)
                     for split in (settings.train_split, settings.val_split))
    from mfs_seg_core.data.clips.events import EventClips
    recordings = [_recordings(settings, split)
                  for split in (settings.train_split, settings.val_split)]
    return (EventClips(recordings[0], length, frames, settings.bins),
            EventClips(recordings[1], 1, length * frames, settings.bins))


def _recordings(settings, split):
    from mfs_seg_core.data.ddd17 import DDD17
    from mfs_seg_core.data.dsec import DSEC
    from mfs_seg_core.events.types import Window
    window = None
    if settings.window_us or settings.window_events:
        window = Window(settings.window_us or None, settings.window_events or None)
    loader = {'ddd17': DDD17, 'dsec': DSEC}[settings.data]
    return loader(settings.root, split, window)
