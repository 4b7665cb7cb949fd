# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Augmented batches of clips of sequences, whose streams may continue from batch to batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mfs_seg_core.data.clips.sampler import SequenceBatches
from mfs_seg_core.train.campaign.batch import Batch
from mfs_seg_core.train.campaign.dim_light import BRIGHT, DimLight, dimmed, draw_light
from mfs_seg_core.train.campaign.look import Look, Looks, stacked
from mfs_seg_core.train.campaign.modalities import Modalities, draw_on_device, present
from mfs_seg_core.train.campaign.sequences import DeviceSequences
from mfs_seg_core.train.campaign.stage import Stage
from mfs_seg_core.train.campaign.validate import pixels
from mfs_seg_core.util.provenance import DataHash
from mfs_seg_core.weights.metadata import Metadata


class SequenceClips:
    """
    Batches of clips of ``frames`` frames, as a function of their places in the data.

    Clip ``i`` is part ``i % P`` of sequence ``i // P``, with P clips in a sequence. The clips that
    a slot of the batch takes of one sequence share window, mirroring, colours, light and
    modalities.
    """

    def __init__(self, stage: Stage, sequences: DeviceSequences, metadata: Metadata, device: str):
        """
        Draw looks, light and modalities to start with.

        :param stage: settings of the stage.
        :param sequences: the data.
        :param metadata: normalisation and nominal step of the network.
        :param device: torch device.
        """
        self.stage, self.sequences, self.device = stage, sequences, device
        self.metadata = metadata
        self.looks = Looks(stage, metadata.mean, metadata.std, device)
        self.per_sequence = sequences.length // stage.frames
        self.images_per_place = stage.frames
        self.bright = torch.tensor([each in BRIGHT for each in sequences.conditions],
                                   device=device)
        # Changed in place, so that a CUDA graph keeps them from replay to replay.
        self.look, self.light, self.modalities = self._draw()
        self.previous = torch.full((stage.batch_size,), -2, device=device)

    def __len__(self) -> int:
        return len(self.sequences) * self.per_sequence

    def order(self, steps: int) -> Tensor:
        """
        Return the clips of all batches.

        :param steps: number of batches.
        :returns: int64 ``[steps * B]``.
        """
        stage, rounds = self.stage, []
        random = torch.Generator().manual_seed(stage.seed)
        while sum(map(len, rounds)) < steps * stage.batch_size:
            if stage.carry:
                batches = SequenceBatches(len(self.sequences), self.per_sequence, stage.batch_size,
                                          stage.seed, len(rounds))
                rounds.append(torch.tensor(list(batches)).flatten())
            else:
                rounds.append(torch.randperm(len(self), generator=random))
        return torch.cat(rounds)[:steps * stage.batch_size].to(self.device)

    def class_weights(self, classes: int) -> Tensor:
        """Return the weight of each class in the loss, float32 ``[K]``."""
        return self.sequences.class_weights(classes)

    def samples(self, count: int) -> tuple[Tensor, Tensor]:
        """Return up to ``count`` normalised images and event tensors, evenly spaced."""
        frames = len(self.sequences.labels)
        chosen = torch.linspace(0, frames - 1, min(count, frames), device=self.device).long()
        return pixels(self.sequences.images[chosen], self.metadata), self.sequences.windows(chosen)

    def add_to(self, data: DataHash) -> None:
        """Add labels and times to a hash."""
        self.sequences.add_to(data)

    def __call__(self, index: Tensor) -> Batch:
        """
        Augment a batch.

        :param index: clips, int64 ``[B]``.
        :returns: their frames.
        """
        stage, looks, sequences = self.stage, self.looks, self.sequences
        sequence, place = index // self.per_sequence, index % self.per_sequence
        follows = (index == self.previous + 1) & (place > 0)
        if not stage.carry:
            follows = torch.zeros_like(follows)
        self.previous.copy_(index)
        self._redraw(~follows)
        grid = looks.grid(self.look.window)
        dim = self.bright[sequence].view(-1, 1, 1, 1) & (self.light.share < stage.dim)
        images, labels, events, given = [], [], [], []
        for t in range(stage.frames):
            step = place * stage.frames + t
            frame = sequence * sequences.length + step
            image = looks.pixels(looks.centred(sequences.images[frame]), grid, self.look)
            if stage.dim:
                image = torch.where(dim, dimmed(image, self.light), image)
            images.append(image)
            labels.append(looks.labels(sequences.labels[frame], grid))
            events.append(functional.grid_sample(sequences.windows(frame), grid,
                                                 align_corners=False))
            given.append(present(self.modalities, step))
        return Batch(looks.normalised(images), torch.stack(labels),
                     sequences.steps_s[sequence] / self.metadata.nominal_step, stacked(events),
                     torch.stack(given), follows if stage.carry else None)

    def _draw(self) -> tuple[Look, DimLight, Modalities]:
        height, width = self.sequences.labels.shape[1:]
        count = self.stage.batch_size
        return (self.looks.draw(count, width, height), draw_light(count, self.device),
                draw_on_device(count, self.sequences.length, self.device, self.stage.camera))

    def _redraw(self, new: Tensor) -> None:
        """Draw looks, light and modalities for the streams ``new``, bool ``[B]``."""
        drawn = (each for group in self._draw() for each in group)
        for old, new_one in zip((*self.look, *self.light, *self.modalities), drawn):
            old.copy_(torch.where(new.view(-1, *[1] * (old.dim() - 1)), new_one, old))
