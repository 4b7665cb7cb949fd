# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training and validation clips of a training run."""

from __future__ import annotations

from typing import Any

from mfs_seg_core.data.camvid import CamVid
from mfs_seg_core.data.clips.folder import FolderClips
from mfs_seg_core.data.clips.stills import StillClips
from mfs_seg_core.data.clips.street import StreetClips
from mfs_seg_core.data.folder.dataset import LabelledFolder
from mfs_seg_core.data.folder.settings import folder_settings
from mfs_seg_core.data.street.seeds import TRAINING_SEED, VALIDATION_SEED

VALIDATION_SEQUENCES = 100
# Greatest number of frames before and at the label: older ones hardly change the state.
VALIDATION_FRAMES = 8


def open_clips(settings: Any, nominal_step: float) -> tuple[Any, Any]:
    """
    Open the clips for training and for validation.

    :param settings: a :class:`mfs_seg_core.train.settings.Settings`.
    :param nominal_step: time between two frames of a clip of one image, in seconds.
    :returns: training clips, and validation clips, each of which is a whole sequence.
    :raises ValueError: the data set is missing or malformed.
    """
    length, frames = settings.length, settings.frames
    if settings.data == 'street':
        bins = settings.bins if settings.events else 0
        return (StreetClips(TRAINING_SEED, settings.sequences, length, frames, settings.size,
                            bins=bins),
                StreetClips(VALIDATION_SEED, VALIDATION_SEQUENCES, 1,
                            min(length * frames, VALIDATION_FRAMES), settings.size, bins=bins))
    splits = settings.train_split, settings.val_split
    if settings.data == 'camvid':
        return tuple(StillClips(CamVid(settings.root, split), frames, nominal_step)
                     for split in splits)
    if isinstance(settings.data, dict):
        described = folder_settings(settings.data)
        folders = [LabelledFolder(settings.root, described, split) for split in splits]
        if described.stills or described.sequences is None:
            return tuple(StillClips(folder, frames, nominal_step) for folder in folders)
        return (FolderClips(folders[0], length, frames),
                FolderClips(folders[1], 1, min(length * frames, VALIDATION_FRAMES),
                            every_label=True))
    from mfs_seg_core.data.clips.events import EventClips
    recordings = [_recordings(settings, split) for split in splits]
    return (EventClips(recordings[0], length, frames, settings.bins),
            EventClips(recordings[1], 1, length * frames, settings.bins))


def _recordings(settings: Any, split: str | list[str]):
    from mfs_seg_core.data.ddd17 import DDD17
    from mfs_seg_core.data.dsec import DSEC
    from mfs_seg_core.events.types import Window
    window = None
    if settings.window_us or settings.window_events:
        window = Window(settings.window_us or None, settings.window_events or None)
    loader = {'ddd17': DDD17, 'dsec': DSEC}[settings.data]
    return loader(settings.root, split, window)
