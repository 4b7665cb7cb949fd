# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training run tells people: a line an epoch, curves and pictures in TensorBoard."""

from __future__ import annotations

import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from mfs_seg_core.labels import ClassSet, colourise


class Lines(Callback):
    """Prints one line a validation: a record that outlives the progress bar."""

    def on_validation_end(self, trainer, module) -> None:
        if trainer.is_global_zero:
            # Of each layer, the firing rate is in TensorBoard.
            figures = ', '.join(f'{name} {value:.4f}' for name, value
                                in sorted(trainer.callback_metrics.items())
                                if name.startswith(('train/', 'val/')))
            print(f'epoch {trainer.current_epoch + 1}: {figures}', flush=True)


class Pictures(Callback):
    """Puts the first images of each validation into TensorBoard: image, truth and mask a row."""

    COUNT = 4

    def on_validation_batch_end(self, trainer, module, masks, batch, index, loader=0) -> None:
        if index == 0 and trainer.is_global_zero:
            picture = rows(batch.images[:, -1], batch.label, masks,
                           module.metadata.classes, self.COUNT)
            trainer.logger.experiment.add_image('val/image_truth_mask', picture,
                                                trainer.global_step, dataformats='HWC')


def rows(images: torch.Tensor, labels: torch.Tensor, masks: torch.Tensor, classes: ClassSet,
         count: int) -> np.ndarray:
    """
    Draw image, truth and mask side by side, an item a row.

    :param images: uint8 ``[B, H, W, 3]``, or events, float ``[B, H, W, C]``, drawn in grey.
    :param labels: uint8 ``[B, H, W]``, 255 for void; ``masks`` likewise.
    :returns: uint8 ``[rows * H, 3 * W, 3]``, RGB.
    """
    if images.dtype != torch.uint8:
        grey = images.sum(-1, keepdim=True)
        images = (255 * grey / grey.amax().clamp(min=1)).clamp(min=0).byte().expand(-1, -1, -1, 3)
    drawn = zip(*(part[:count].cpu().numpy() for part in (images, labels, masks)))
    return np.concatenate([
        np.concatenate([image, colourise(label, classes), colourise(mask, classes)], axis=1)
        for image, label, mask in drawn])
