# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lightning module: the network with its loss, optimiser and validation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import lightning
import numpy as np
import torch
from torch import Tensor

from mfs_seg_core.data.clips.clip import Clip, ResizedClips
from mfs_seg_core.data.statistics import NOMINAL_STEP_S
from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.labels import ClassSet
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.state import State
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.streaming.preprocess import normalise
from mfs_seg_core.train.fused_layers import fuse
from mfs_seg_core.train.loss import scale_loss
from mfs_seg_core.train.settings import EVENT_DATA, Settings
from mfs_seg_core.train.start import pixel_statistics, start_from
from mfs_seg_core.util.modalities import SENSORS
from mfs_seg_core.weights.file import build
from mfs_seg_core.weights.metadata import Metadata

# Share of the streams that are reset in a step of training.
REST_SHARE = 0.1
# Clips to measure the range of activations on for a conversion.
CALIBRATION = 32


class Training(lightning.LightningModule):
    """
    The network with its loss, optimiser and validation.

    :param settings: settings of the run.
    :param classes: classes of the labels.
    :param channels: channels of an image, or of an event tensor where there are no images.
    :param class_weights: float32 ``[K]``, weight of each class in the loss.
    :param clips: clips to measure ranges on, for a spiking network that starts from its artificial
        twin.
    :raises ValueError: the weights to start from do not fit the network.
    """

    def __init__(self, settings: Settings, classes: ClassSet, channels: int,
                 class_weights: Tensor, clips: Sequence[Clip] = ()):
        super().__init__()
        self.settings = settings
        event_channels = 2 * settings.bins if settings.events else 0
        config = (UNetConfig(len(classes), inputs=channels) if settings.model == 'unet'
                  else named_config(settings.model, len(classes), inputs=channels,
                                    events=event_channels))
        self.network = build(config).to(memory_format=torch.channels_last)
        modality = ('events' if settings.data in EVENT_DATA else
                    'fusion' if settings.events else 'camera')
        # Ev-SegNet's own tensors have other channels than two per time bin.
        bins = settings.bins if 2 * settings.bins in (event_channels, channels) else 0
        self.metadata = Metadata(
            settings.name, config, classes, settings.size, *pixel_statistics(config),
            NOMINAL_STEP_S, modality, 0 if modality == 'camera' else bins, settings.notes)
        self.register_buffer('class_weights', class_weights, persistent=False)
        if settings.start:
            start_from(self.network, settings.start, classes, partial(self._calibration, clips))
        # On a GPU the layers run as before.
        self.fused = fuse(self.network)

    def _calibration(self, clips: Sequence[Clip]) -> tuple[Tensor, Tensor | None]:
        """Return images ``[N, C, H, W]`` and events, evenly spaced, to measure ranges on."""
        places = np.linspace(0, len(clips) - 1, min(CALIBRATION, len(clips))).astype(int)
        resized = ResizedClips(clips, self.settings.size)
        images, events = zip(*((clip.images[-1:], clip.events[-1:])
                               for clip in map(resized.__getitem__, places)))
        pixels = self._steps(torch.from_numpy(np.stack(images)))[0]
        if not self._fuses:
            return pixels, None
        return pixels, torch.from_numpy(np.concatenate(events)).permute(0, 3, 1, 2)

    def _steps(self, images: Tensor) -> Tensor:
        """Convert images ``[B, T, H, W, C]`` to network inputs ``[T', B, C, H, W]``."""
        steps = images.permute(1, 0, 4, 2, 3)
        if steps.dtype == torch.uint8:
            steps = normalise(steps, self.metadata)
        steps = steps.to(next(self.parameters()).dtype)
        if self.network.config.steps > 1:
            # A network that repeats each image for several steps trains on the last frame only.
            return steps[-1:].expand(self.network.config.steps, *steps.shape[1:])
        return steps

    def _events(self, batch: Clip) -> tuple[Tensor | None, Tensor | None]:
        """Return event tensors ``[T, B, E, H, W]`` and present sensors, bool ``[T, B, 2]``."""
        if not self._fuses:
            return None, None
        events = batch.events.permute(1, 0, 4, 2, 3).to(next(self.parameters()).dtype)
        return events, batch.present.transpose(0, 1) if batch.present.numel() else None

    def on_train_epoch_start(self) -> None:
        """Reset all streams."""
        self.state: State | None = None

    def training_step(self, batch: Clip, index: int) -> Tensor:
        """
        Compute the loss of a batch, and keep the state for the next one.

        :param batch: clips.
        :param index: place of the batch in the epoch.
        :returns: the loss, a scalar.
        :raises ValueError: the loss is not finite.
        """
        steps, elapsed = self._steps(batch.images), self._elapsed(batch.step_s)
        events, present = self._events(batch)
        if self.network.config.steps > 1:
            prediction = self.network(steps, rates=True)
        else:
            chance = np.random.default_rng((self.settings.seed, self.global_step))
            state = self._carried(batch.follows, chance)
            # From rest, the number of steps before the label varies.
            first = chance.integers(len(steps)) if state is None else 0
            # Truncated back-propagation through time: gradients of the last steps only.
            for t in range(first, len(steps)):
                ago = len(steps) - 1 - t
                with torch.set_grad_enabled(ago < self.settings.truncation):
                    prediction = self.network(
                        steps[t:t + 1], state, ago == 0, elapsed,
                        *(None if x is None else x[t:t + 1] for x in (events, present)))
                state = prediction.state
            self.state = {name: potential.detach() for name, potential in state.items()}
        loss = self._loss(prediction.logits, batch.label)
        if not loss.isfinite():
            good = self.trainer.checkpoint_callbacks[-1].best_model_path or 'none'
            raise ValueError(
                f'the loss is {loss.item()} in step {self.global_step} (epoch '
                f'{self.current_epoch + 1}, clips {batch.index.tolist()}): run again with a lower '
                f'learning_rate to continue from the last good checkpoint, {good}')
        self.log('train/loss', loss, prog_bar=True)
        if prediction.rates:
            self.log('train/firing_rate', torch.stack(list(prediction.rates.values())).mean())
        self.log_dict({f'firing_rate/{name}': rate.mean()
                       for name, rate in prediction.rates.items()})
        return loss

    def _carried(self, follows: Tensor, chance: np.random.Generator) -> State | None:
        """Return the state after the previous clips; new sequences and a few others are reset."""
        if self.state is None or not follows.any():
            return None
        rest = torch.from_numpy(chance.random(len(follows)) < REST_SHARE).to(follows.device)
        keep = (follows & ~rest).view(-1, 1, 1, 1)
        if keep.all():
            return self.state
        return {name: potential * keep for name, potential in self.state.items()}

    def _elapsed(self, step_s: Tensor) -> Tensor:
        return step_s.float() / self.metadata.nominal_step

    def _loss(self, logits: tuple[Tensor, ...], label: Tensor) -> Tensor:
        return scale_loss(logits, label, self.settings.scale_weights, self.class_weights,
                          self.fused, partial(self.trainer.strategy.reduce, reduce_op='mean'))

    def on_validation_epoch_start(self) -> None:
        """Create a confusion matrix for each mode of validation."""
        modes = tuple(SENSORS) if self._fuses else ('rest', 'stream')
        self.matrices = {mode: ConfusionMatrix(len(self.metadata.classes)) for mode in modes}

    def validation_step(self, batch: Clip, index: int) -> Tensor:
        """
        Segment a batch in each mode, and update the confusion matrices.

        :param batch: clips.
        :param index: place of the batch in the epoch.
        :returns: uint8 ``[B, H, W]``, masks of the last mode: the stream of all sensors.
        """
        steps, elapsed = self._steps(batch.images), self._elapsed(batch.step_s)
        truth = batch.label.cpu().numpy()
        events, _ = self._events(batch)
        # By mode: images and events of consecutive calls of the network.
        if self.network.config.steps > 1:
            calls = {'rest': [(steps, None)], 'stream': [(steps, None)]}
        elif self._fuses:
            frames, windows = steps.split(1), events.split(1)
            missing = [None] * len(frames)
            calls = {'camera': zip(frames, missing), 'events': zip(missing, windows),
                     'fusion': zip(frames, windows)}
        else:
            calls = {'rest': [(steps[-1:], None)],
                     'stream': [(step, None) for step in steps.split(1)]}
        for mode, parts in calls.items():
            state = None
            for images, events in parts:
                logits, state, _ = self.network(images, state, elapsed=elapsed, events=events)
            masks = logits[-1].mean(0).argmax(1).byte()
            self.matrices[mode].update(masks.cpu().numpy(), truth)
        return masks

    @property
    def _fuses(self) -> bool:
        """Whether the network takes images and events."""
        return self.network.config.events > 0

    def on_validation_epoch_end(self) -> None:
        """Log the mIoU of each mode, and their mean, which selects the best checkpoint."""
        mious = {mode: matrix.miou for mode, matrix in self.matrices.items()}
        for mode, miou in mious.items():
            self.log(f'val/miou_{mode}', miou)
        self.log('val/miou', sum(mious.values()) / len(mious), prog_bar=True)

    def configure_optimizers(self):
        """Return AdamW, and a schedule for each step: linear warm-up, then a cosine."""
        settings = self.settings
        optimiser = torch.optim.AdamW(self.parameters(), settings.learning_rate,
                                      weight_decay=settings.weight_decay,
                                      fused=(self.fused and self.device.type == 'cpu') or None)
        total = self.trainer.estimated_stepping_batches

        def factor(step: int) -> float:
            return min((step + 1) / (0.1 * total), 0.5 + 0.5 * math.cos(math.pi * step / total))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
        return [optimiser], [{'scheduler': schedule, 'interval': 'step'}]
