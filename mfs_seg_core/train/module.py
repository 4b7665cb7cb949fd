# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network with its loss, optimiser and validation, for Lightning."""

from __future__ import annotations

import math

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mfs_seg_core.data.clips.clip import Clip
from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.labels import UNLABELLED, ClassSet
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.state import State
from mfs_seg_core.model.unet import UNetConfig
from mfs_seg_core.streaming.preprocess import normalise
from mfs_seg_core.train.settings import EVENT_DATA, Settings
from mfs_seg_core.weights.file import Metadata, build, load_weights

# Mean and spread of the pixels of street scenes by day, RGB.
MEAN, STD = (0.41, 0.43, 0.43), (0.30, 0.31, 0.31)
NOMINAL_STEP = 0.05
# Share of the streams that lose their state in a step of training.
REST_SHARE = 0.1


class Training(lightning.LightningModule):
    """The network with its loss, optimiser and validation."""

    def __init__(self, settings: Settings, classes: ClassSet, channels: int,
                 class_weights: Tensor):
        super().__init__()
        self.settings = settings
        beside = 2 * settings.bins if settings.events else 0
        config = (UNetConfig(len(classes), inputs=channels) if settings.model == 'unet'
                  else named_config(settings.model, len(classes), inputs=channels, events=beside))
        self.network = build(config).to(memory_format=torch.channels_last)
        if settings.start:
            self._start_from(settings.start)
        modality = ('events' if settings.data in EVENT_DATA else
                    'fusion' if settings.events else 'camera')
        # Ev-SegNet's own tensors have other channels, which no bins make.
        bins = settings.bins if 2 * settings.bins in (beside, channels) else 0
        self.metadata = Metadata(
            settings.name, config, classes, settings.size, MEAN, STD, NOMINAL_STEP, modality,
            0 if modality == 'camera' else bins, settings.notes)
        self.register_buffer('class_weights', class_weights, persistent=False)

    def _start_from(self, path_or_name: str) -> None:
        started, _ = load_weights(path_or_name)
        try:
            missing, _ = self.network.load_state_dict(started.state_dict(), strict=False)
        except RuntimeError as error:
            # It names tensors of other sizes, one a line.
            first = str(error).splitlines()[1].strip()
            raise ValueError(f'cannot start from {path_or_name}: {first}') from None
        # What weights without them do is what these start as.
        wrong = [name for name in missing
                 if not name.endswith('lif.leak') and not name.startswith(('recall.', 'events.'))]
        if wrong:
            raise ValueError(f'cannot start from {path_or_name}: {wrong[0]} is missing in it')

    def _steps(self, images: Tensor) -> Tensor:
        """Turn images ``[B, T, H, W, C]`` into steps ``[T', B, C, H, W]``."""
        steps = images.permute(1, 0, 4, 2, 3)
        if steps.dtype == torch.uint8:
            steps = normalise(steps, self.metadata)
        steps = steps.to(next(self.parameters()).dtype)
        if self.network.config.steps > 1:
            # Weights that look at an image for several steps are trained on the last frame alone.
            return steps[-1:].expand(self.network.config.steps, *steps.shape[1:])
        return steps

    def _events(self, batch: Clip) -> tuple[Tensor | None, Tensor | None]:
        """Give event tensors ``[T, B, E, H, W]``, and which senses are there ``[T, B, 2]``."""
        if not self._fuses:
            return None, None
        events = batch.events.permute(1, 0, 4, 2, 3).to(next(self.parameters()).dtype)
        return events, batch.present.transpose(0, 1) if batch.present.numel() else None

    def on_train_epoch_start(self) -> None:
        self.state: State | None = None

    def training_step(self, batch: Clip, index: int) -> Tensor:
        steps, elapsed = self._steps(batch.images), self._elapsed(batch.step_s)
        events, seen = self._events(batch)
        if self.network.config.steps > 1:
            prediction = self.network(steps, rates=True)
        else:
            chance = np.random.default_rng((self.settings.seed, self.global_step))
            state = self._carried(batch.follows, chance)
            # From rest, any number of steps.
            first = chance.integers(len(steps)) if state is None else 0
            # Back-propagation through time, truncated to the last steps.
            for t in range(first, len(steps)):
                ago = len(steps) - 1 - t
                with torch.set_grad_enabled(ago < self.settings.truncation):
                    prediction = self.network(
                        steps[t:t + 1], state, ago == 0, elapsed,
                        *(None if x is None else x[t:t + 1] for x in (events, seen)))
                state = prediction.state
            self.state = {name: potential.detach() for name, potential in state.items()}
        loss = self._loss(prediction.logits, batch.label)
        if not loss.isfinite():
            good = self.trainer.checkpoint_callbacks[-1].best_model_path or 'none'
            raise ValueError(
                f'the loss is {loss.item()} in step {self.global_step} (epoch '
                f'{self.current_epoch + 1}, clips {batch.index.tolist()}): run again with a lower '
                f'learning_rate to go on from the last good checkpoint, {good}')
        self.log('train/loss', loss, prog_bar=True)
        if prediction.rates:
            self.log('train/firing_rate', torch.stack(list(prediction.rates.values())).mean())
        self.log_dict({f'firing_rate/{name}': rate.mean()
                       for name, rate in prediction.rates.items()})
        return loss

    def _carried(self, follows: Tensor, chance: np.random.Generator) -> State | None:
        """Give the state that the clips before left; at rest: new sequences, and a few others."""
        if self.state is None or not follows.any():
            return None
        rest = torch.from_numpy(chance.random(len(follows)) < REST_SHARE).to(follows.device)
        keep = (follows & ~rest).view(-1, 1, 1, 1)
        return {name: potential * keep for name, potential in self.state.items()}

    def _elapsed(self, step_s: Tensor) -> Tensor:
        return step_s.float() / self.metadata.nominal_step

    def _loss(self, logits: tuple[Tensor, ...], label: Tensor) -> Tensor:
        total = 0.0
        for weight, scale in zip(self.settings.scale_weights[-len(logits):], logits):
            scores = scale.mean(0)
            target = functional.interpolate(label[:, None], scores.shape[-2:], mode='nearest')
            target = target[:, 0].long()
            loss = functional.cross_entropy(scores, target, self.class_weights,
                                            ignore_index=UNLABELLED, reduction='sum')
            # Pixels count alike wherever they are: a mean over all processes' pixels.
            pixels = self.class_weights[target[target != UNLABELLED]].sum()
            pixels = self.trainer.strategy.reduce(pixels, reduce_op='mean').clamp(min=1)
            total = total + weight * loss / pixels
        return total

    def on_validation_epoch_start(self) -> None:
        modes = ('camera', 'events', 'fusion') if self._fuses else ('rest', 'stream')
        self.matrices = {mode: ConfusionMatrix(len(self.metadata.classes)) for mode in modes}

    def validation_step(self, batch: Clip, index: int) -> Tensor:
        """Give the masks of the stream."""
        steps, elapsed = self._steps(batch.images), self._elapsed(batch.step_s)
        truth = batch.label.cpu().numpy()
        events, _ = self._events(batch)
        # The steps of each mode: images and events of each call, made one after the other.
        if self.network.config.steps > 1:
            calls = {'rest': [(steps, None)], 'stream': [(steps, None)]}
        elif self._fuses:
            images, events = steps.split(1), events.split(1)
            nothing = [None] * len(images)
            calls = {'camera': zip(images, nothing), 'events': zip(nothing, events),
                     'fusion': zip(images, events)}
        else:
            calls = {'rest': [(steps[-1:], None)],
                     'stream': [(step, None) for step in steps.split(1)]}
        for mode, parts in calls.items():
            state = None
            for images, beside in parts:
                logits, state, _ = self.network(images, state, elapsed=elapsed, events=beside)
            masks = logits[-1].mean(0).argmax(1).byte()
            self.matrices[mode].update(masks.cpu().numpy(), truth)
        return masks

    @property
    def _fuses(self) -> bool:
        """Whether the network sees camera and events."""
        return self.network.config.events > 0

    def on_validation_epoch_end(self) -> None:
        mious = {mode: matrix.miou for mode, matrix in self.matrices.items()}
        for mode, miou in mious.items():
            self.log(f'val/miou_{mode}', miou)
        self.log('val/miou', sum(mious.values()) / len(mious), prog_bar=True)

    def configure_optimizers(self):
        settings = self.settings
        optimiser = torch.optim.AdamW(self.parameters(), settings.learning_rate,
                                      weight_decay=settings.weight_decay)
        total = self.trainer.estimated_stepping_batches

        def share(step: int) -> float:
            return min((step + 1) / (0.1 * total), 0.5 + 0.5 * math.cos(math.pi * step / total))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, share)
        return [optimiser], [{'scheduler': schedule, 'interval': 'step'}]
