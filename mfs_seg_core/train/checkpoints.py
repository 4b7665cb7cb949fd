# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Checkpoints of a training run: the best one, and those of the last two epochs.

Lightning writes each to a temporary file and renames it: a killed run leaves no partial checkpoint.
"""

from __future__ import annotations

from pathlib import Path

import torch

PATTERN = 'epoch=*.ckpt'


def checkpoint_callbacks(folder: Path) -> tuple:
    """
    Return the callbacks that write checkpoints.

    :param folder: folder of the run.
    :returns: two ``ModelCheckpoint``: of the best mIoU, ``best.ckpt``, and of the last two epochs.
    """
    # Only training needs Lightning.
    from lightning.pytorch.callbacks import ModelCheckpoint
    best = ModelCheckpoint(folder, 'best', monitor='val/miou', mode='max',
                           enable_version_counter=False)
    last = ModelCheckpoint(folder, '{epoch:04d}', monitor='epoch', mode='max', save_top_k=2,
                           save_on_train_epoch_end=True, enable_version_counter=False)
    return best, last


def newest(folder: Path) -> Path | None:
    """
    Return the checkpoint of the last epoch.

    :param folder: folder of the run.
    :returns: path of the checkpoint; None: the folder has none.
    :raises ValueError: it is damaged; the message names the previous one.
    """
    paths = sorted(folder.glob(PATTERN), reverse=True)
    if not paths:
        return None
    try:
        torch.load(paths[0], map_location='cpu', weights_only=True)
    except Exception as error:  # the unpickler raises any type on damaged files
        remedy = (f'delete it to continue from {paths[1].name}' if paths[1:]
                  else 'start with --fresh')
        raise ValueError(f'{paths[0]} is damaged ({type(error).__name__}): {remedy}') from None
    return paths[0]


def length(folder: Path) -> tuple[int, int]:
    """
    Return the length of a run.

    :param folder: folder of the run.
    :returns: number of epochs and number of optimiser steps.
    :raises ValueError: the folder has no checkpoint, or a damaged one.
    """
    path = newest(folder)
    if path is None:
        raise ValueError(f'{folder} holds no checkpoint with the length of the run: remove the '
                         'folder to train again')
    checkpoint = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
    return checkpoint['epoch'] + 1, checkpoint['global_step']


def clear(folder: Path) -> None:
    """Remove the checkpoints from which a new run would continue."""
    for path in folder.glob(PATTERN):
        path.unlink()
