# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The checkpoints of a training run: the best one, and those of the last two epochs.

Lightning writes each aside and renames it: a kill leaves no half of one.
"""

from __future__ import annotations

from pathlib import Path

import torch

PATTERN = 'epoch=*.ckpt'


def keepers(folder: Path) -> tuple:
    """Give the two callbacks that keep the best checkpoint, ``best.ckpt``, and the last two."""
    # Only training needs Lightning.
    from lightning.pytorch.callbacks import ModelCheckpoint
    best = ModelCheckpoint(folder, 'best', monitor='val/miou', mode='max',
                           enable_version_counter=False)
    last = ModelCheckpoint(folder, '{epoch:04d}', monitor='epoch', mode='max', save_top_k=2,
                           save_on_train_epoch_end=True, enable_version_counter=False)
    return best, last


def newest(folder: Path) -> Path | None:
    """
    Give the checkpoint to go on from, or None.

    :raises ValueError: it is damaged; the message offers the one before.
    """
    paths = sorted(folder.glob(PATTERN), reverse=True)
    if not paths:
        return None
    try:
        torch.load(paths[0], map_location='cpu', weights_only=True)
    except Exception as error:  # whatever a damaged file makes the unpickler raise
        offer = f'delete it to go on from {paths[1].name}' if paths[1:] else 'start with --fresh'
        raise ValueError(f'{paths[0]} is damaged ({type(error).__name__}): {offer}') from None
    return paths[0]


def length(folder: Path) -> tuple[int, int]:
    """
    Give the epochs and the steps that a run has trained for.

    :raises ValueError: it left no checkpoint that says so, or a damaged one.
    """
    path = newest(folder)
    if path is None:
        raise ValueError(f'{folder} holds no checkpoint that tells how long it was trained: remove '
                         'it to train again')
    kept = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
    return kept['epoch'] + 1, kept['global_step']


def clear(folder: Path) -> None:
    """Remove the checkpoints that a new run would go on from."""
    for path in folder.glob(PATTERN):
        path.unlink()
