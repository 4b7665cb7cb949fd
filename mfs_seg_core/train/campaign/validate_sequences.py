# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Validation on sequences of Street, by modality and condition."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.train.campaign.sequences import DeviceSequences
from mfs_seg_core.train.campaign.validate import count_pixels, pixels
from mfs_seg_core.util.modalities import SENSORS
from mfs_seg_core.util.provenance import DataHash
from mfs_seg_core.weights.metadata import Metadata

# Sequences that advance together.
TOGETHER = 32


class SequencesHeldOut:
    """Sequences of Street to validate on."""

    def __init__(self, sequences: DeviceSequences, metadata: Metadata):
        """
        Divide the sequences by condition.

        :param sequences: the data.
        :param metadata: normalisation, classes and nominal step of the network.
        """
        self.sequences, self.metadata = sequences, metadata
        device = sequences.labels.device
        self.places = {condition: torch.tensor(
            [i for i, each in enumerate(sequences.conditions) if each == condition], device=device)
            for condition in dict.fromkeys(sequences.conditions)}

    def __len__(self) -> int:
        return len(self.sequences) * self.sequences.length

    def measure(self, network: nn.Module, stream: bool) -> dict[str, ConfusionMatrix]:
        """
        Compare masks with the truth in each modality and condition, in float32.

        :param network: network in evaluation mode.
        :param stream: keep the state along each sequence; False: each frame from rest.
        :returns: 'stream@1' (or 'reset@1'), the sum of all; then each modality and condition, as
            'stream@1 fusion night'.
        """
        mode = 'stream@1' if stream else 'reset@1'
        classes = len(self.metadata.classes)
        found = {mode: ConfusionMatrix(classes)}
        for modality, sensors in SENSORS.items():
            for condition, places in self.places.items():
                counts = sum(self._count(network, part, sensors, stream)
                             for part in places.split(TOGETHER))
                matrix = found[f'{mode} {modality} {condition}'] = ConfusionMatrix(classes)
                matrix.counts += counts.view(matrix.counts.shape).cpu().numpy()
                found[mode].counts += matrix.counts
        return found

    @torch.inference_mode()
    def _count(self, network: nn.Module, places: Tensor, sensors: tuple[str, ...], stream: bool
               ) -> Tensor:
        """Return the pixels of each pair of true and predicted class in some sequences."""
        data, state, total = self.sequences, None, 0
        elapsed = data.steps_s[places] / self.metadata.nominal_step
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            for t in range(data.length):
                frames = places * data.length + t
                images = (pixels(data.images[frames], self.metadata)[None]
                          if 'camera' in sensors else None)
                events = data.windows(frames)[None] if 'events' in sensors else None
                prediction = network(images, state, elapsed=elapsed, events=events)
                if stream:
                    state = prediction.state or None
                total = total + count_pixels(prediction.logits[-1][0], data.labels[frames])
        return total

    def add_to(self, data: DataHash) -> None:
        """Add labels and times to a hash."""
        self.sequences.add_to(data)
