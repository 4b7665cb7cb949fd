# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sequences of Street in the memory of a device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mfs_seg_core.data.clips.clip import EVENT_BYTE_SCALE
from mfs_seg_core.util.provenance import DataHash

# Frames to count the classes of at once.
PART = 256


class DeviceSequences:
    """
    S sequences of L frames, each with a label and an event tensor.

    - ``images``: uint8 ``[S * L, H, W, 3]``, RGB, on the device;
    - ``labels``: uint8 ``[S * L, H, W]``, class ids;
    - ``events``: uint8 ``[S * L, H, W, E]``, in units of 1 / :data:`EVENT_BYTE_SCALE`;
    - ``steps_s``: seconds from frame to frame, float32 ``[S]``;
    - ``conditions``: condition of each sequence ('day', ...).
    """

    def __init__(self, files: Sequence[Path], sequences: int, device: str):
        """
        Read the files of :func:`mfs_seg_core.train.campaign.drawing.draw`.

        :param files: files of drives, in order.
        :param sequences: number S of sequences to keep.
        :param device: torch device.
        """
        self.conditions: list[str] = []
        filled = 0
        for path in files:
            with np.load(path) as drive:
                steps_s = torch.from_numpy(drive['steps_s'])[:sequences - filled]
                part = slice(filled, filled + len(steps_s))
                self.conditions += drive['conditions'][:len(steps_s)].tolist()
                for name in ('images', 'labels', 'events'):
                    array = torch.from_numpy(drive[name])[:len(steps_s)]
                    if not filled:
                        # Filled drive by drive: the data may not fit twice into the memory.
                        setattr(self, name, torch.empty((sequences, *array.shape[1:]),
                                                        dtype=torch.uint8, device=device))
                    getattr(self, name)[part] = array.to(device)
            if not filled:
                self.length = self.labels.shape[1]
                self.steps_s = torch.empty(sequences, device=device)
            self.steps_s[part] = steps_s.to(device)
            filled += len(steps_s)
        self.images, self.labels, self.events = (
            x.flatten(0, 1) for x in (self.images, self.labels, self.events))

    def __len__(self) -> int:
        return len(self.conditions)

    def windows(self, places: Tensor | slice) -> Tensor:
        """Return event tensors ``[N, E, H, W]`` of frames, channels last in memory."""
        return self.events[places].permute(0, 3, 1, 2).float() / EVENT_BYTE_SCALE

    def class_weights(self, classes: int) -> Tensor:
        """Return ``1 / ln(1.1 + share of pixels)`` of each class, with a mean of 1."""
        counts = sum(torch.bincount(part.flatten().long(), minlength=256)[:classes]
                     for part in self.labels.split(PART)).double()
        weights = 1 / torch.log(1.1 + counts / counts.sum())
        return (weights / weights.mean()).float()

    def add_to(self, data: DataHash) -> None:
        """Add the labels and times to a hash; the images follow from the same seeds."""
        data.add(self.labels.cpu().numpy())
        data.add(self.steps_s.cpu().numpy())
