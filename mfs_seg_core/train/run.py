# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One training run with Lightning: data, checkpoints and the final weights file."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from pathlib import Path

import cv2
import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor
from torch.utils.data import DataLoader

from mfs_seg_core.data.clips.augment import Augmented
from mfs_seg_core.data.clips.clip import ResizedClips
from mfs_seg_core.data.clips.factory import open_clips
from mfs_seg_core.data.clips.sampler import SequenceBatches
from mfs_seg_core.data.statistics import NOMINAL_STEP_S
from mfs_seg_core.engine.program import UnsupportedNetworkError
from mfs_seg_core.engine.programs import write_program
from mfs_seg_core.train.callbacks import LogImages, PrintMetrics
from mfs_seg_core.train.checkpoints import checkpoint_callbacks, clear, newest
from mfs_seg_core.train.module import Training
from mfs_seg_core.train.settings import Settings
from mfs_seg_core.weights.file import build, save_weights


class _Data(lightning.LightningDataModule):
    """
    Loaders of clips to train on and to validate on.

    Their batches depend on seed and epoch only, so that a resumed run equals an uninterrupted one.
    """

    def __init__(self, settings: Settings, training, validation):
        super().__init__()
        self.settings = settings
        self.augmented = Augmented(training, settings.size, settings.seed, settings.crop)
        self.validation = ResizedClips(validation, settings.size)

    def train_dataloader(self) -> DataLoader:
        """Return the loader of an epoch; each process has its part of the batches."""
        self.augmented.epoch = self.trainer.current_epoch
        length = self.augmented.clips.length
        batches = SequenceBatches(
            len(self.augmented) // length, length, self.settings.batch_size, self.settings.seed,
            self.trainer.current_epoch, self.trainer.global_rank, self.trainer.world_size)
        return DataLoader(self.augmented, batch_sampler=batches, num_workers=self.settings.workers)

    def val_dataloader(self) -> DataLoader:
        """Return the loader of clips to validate on, in order."""
        return DataLoader(self.validation, self.settings.batch_size,
                          num_workers=self.settings.workers)


def _class_weights(clips) -> Tensor:
    """
    Return the weights of classes in the loss, ``1 / ln(1.1 + share of pixels)``, with a mean of 1.

    :param clips: labelled clips, of which up to 400, evenly spaced, are counted.
    :returns: float32 ``[K]``.
    :raises ValueError: no pixel has a class.
    """
    counts = np.zeros(256)
    for index in range(0, len(clips), max(1, len(clips) // 200)):
        counts += np.bincount(clips[index].label.ravel(), minlength=256)
    counts = counts[:len(clips.classes)]
    if not counts.any():
        raise ValueError('no pixel of the training data has a class: check the values of the '
                         'labels, for a folder of images by mfs-seg data FILE')
    share = counts / counts.sum()
    weights = 1 / np.log(1.1 + share)
    return torch.tensor(weights / weights.mean(), dtype=torch.float32)


def run(settings: Settings, output: Path, fresh: bool) -> str:
    """
    Train a network, and write the best weights to ``output/<name>/<name>.safetensors``.

    :param settings: settings of the run, checked.
    :param output: folder of all runs.
    :param fresh: start again instead of continuing a stopped run.
    :returns: mIoU and path of the weights as a sentence; empty in all but the first of several
        processes.
    :raises ValueError: the data cannot be used, a checkpoint is damaged, or the loss is not finite.
    """
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    # The loader's workers are forked, and OpenCV's threads do not survive a fork.
    cv2.setNumThreads(0)
    folder = output / settings.name
    if fresh:
        clear(folder)
    start = newest(folder)
    training, validation = open_clips(settings, NOMINAL_STEP_S)
    data = _Data(settings, training, validation)
    module = Training(settings, training.classes, training.channels, _class_weights(training),
                      training)
    best, last = checkpoint_callbacks(folder)
    devices = settings.devices or max(1, torch.cuda.device_count())
    trainer = lightning.Trainer(
        max_epochs=settings.epochs,
        callbacks=[best, last, PrintMetrics(), LogImages(), LearningRateMonitor('step')],
        precision=settings.precision or (
            'bf16-mixed' if torch.cuda.is_available() else '32-true'),
        logger=TensorBoardLogger(output, settings.name, version=''), default_root_dir=folder,
        check_val_every_n_epoch=settings.validate_every, num_sanity_val_steps=0,
        gradient_clip_val=1.0, devices=devices, num_nodes=settings.nodes,
        # The leak has no gradient in a step from rest.
        strategy='ddp_find_unused_parameters_true' if devices * settings.nodes > 1 else 'auto',
        use_distributed_sampler=False, log_every_n_steps=10, reload_dataloaders_every_n_epochs=1)
    trainer.fit(module, data, ckpt_path=start)
    if best.best_model_score is None:
        # Lightning finds the best checkpoint of a run by the path of its folder.
        raise ValueError(f'{folder} holds a finished run of another folder: set more epochs to '
                         'continue it, or add --fresh')

    checkpoint = torch.load(best.best_model_path, map_location='cpu', weights_only=True)
    network = build(module.metadata.config)
    network.load_state_dict({name.removeprefix('network.'): tensor
                             for name, tensor in checkpoint['state_dict'].items()})
    miou = float(best.best_model_score)
    path = folder / f'{settings.name}.safetensors'
    notes = {**settings.notes, 'validation_miou': f'{miou:.4f}'}
    if not trainer.is_global_zero:
        return ''
    save_weights(path, network, dataclasses.replace(module.metadata, notes=notes))
    with suppress(UnsupportedNetworkError):
        write_program(path)
    return f'validation mIoU {miou:.4f}, weights in {path}'
