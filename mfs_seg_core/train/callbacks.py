# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reports of a training run: a printed line per validation, and images in TensorBoard."""

from __future__ import annotations

import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from mfs_seg_core.labels import ClassSet, colourise


class PrintMetrics(Callback):
    """Print a line per validation, which stays on the terminal unlike the progress bar."""

    def on_validation_end(self, trainer, module) -> None:
        """Print losses, mean firing rate and mIoU."""
        if trainer.is_global_zero:
            # The firing rates of the layers are in TensorBoard only: there are too many.
            metrics = ', '.join(f'{name} {value:.4f}' for name, value
                                in sorted(trainer.callback_metrics.items())
                                if name.startswith(('train/', 'val/')))
            print(f'epoch {trainer.current_epoch + 1}: {metrics}', flush=True)


class LogImages(Callback):
    """Write the first images of each validation, their labels and masks to TensorBoard."""

    COUNT = 4

    def on_validation_batch_end(self, trainer, module, masks, batch, index, loader=0) -> None:
        """Write the first batch as one plot."""
        if index == 0 and trainer.is_global_zero:
            plot = rows(batch.images[:, -1], batch.label, masks,
                        module.metadata.classes, self.COUNT)
            trainer.logger.experiment.add_image('val/image_truth_mask', plot,
                                                trainer.global_step, dataformats='HWC')


def rows(images: torch.Tensor, labels: torch.Tensor, masks: torch.Tensor, classes: ClassSet,
         count: int) -> np.ndarray:
    """
    Draw image, label and mask side by side, one item per row.

    :param images: uint8 ``[B, H, W, 3]``, RGB, or event tensors, float ``[B, H, W, C]``, which are
        drawn in grey.
    :param labels: uint8 ``[B, H, W]``, class ids, 255 = unlabelled.
    :param masks: uint8 ``[B, H, W]``, class ids.
    :param classes: classes with their colours.
    :param count: number of items to draw.
    :returns: uint8 ``[rows * H, 3 * W, 3]``, RGB.
    """
    if images.dtype != torch.uint8:
        grey = images.sum(-1, keepdim=True)
        images = (255 * grey / grey.amax().clamp(min=1)).clamp(min=0).byte().expand(-1, -1, -1, 3)
    drawn = zip(*(part[:count].cpu().numpy() for part in (images, labels, masks)))
    return np.concatenate([
        np.concatenate([image, colourise(label, classes), colourise(mask, classes)], axis=1)
        for image, label, mask in drawn])
