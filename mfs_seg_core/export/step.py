# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One step of a network as a function of named tensors: inputs and state in, mask and state out."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from mfs_seg_core.model.blocks import Conv
from mfs_seg_core.model.network import fold_norms
from mfs_seg_core.model.stateful import Stateful
from mfs_seg_core.streaming.preprocess import normalise
from mfs_seg_core.util.modalities import SENSORS
from mfs_seg_core.weights.metadata import Metadata

IMAGE, EVENTS, PRESENT, ELAPSED = 'image', 'events', 'present', 'elapsed_s'
SCORES, MASK = 'scores', 'mask'
# Prefix of a potential after the step: a name in a file is unique.
NEXT = 'next.'


class StepNetwork(nn.Module):
    """
    One step of streams, with inputs as a program has them and the state passed by the caller.

    :ivar inputs: example of each input but the state, of one stream, by name:

        - ``image``: uint8 ``[B, H, W, 3]``, RGB, 0..255;
        - ``events``: float32 ``[B, E, H, W]``, the event tensor;
        - ``present``: float32 ``[B, 2]``, 1 where camera and event camera are present, else 0,
          with both sensors only;
        - ``elapsed_s``: float32 ``[B]``, seconds since the last step of each stream.
    :ivar size: width and height of the input.
    :ivar state: state at rest of one stream, zeros float32 ``[1, C, h, w]``, by its name.
    """

    def __init__(self, network: Stateful, metadata: Metadata, size: tuple[int, int],
                 modality: str):
        """
        Copy a network, its norms folded into the convolutions.

        :param network: the network.
        :param metadata: metadata of its weights.
        :param size: width and height of its input.
        :param modality: 'camera', 'events' or 'fusion': sensors of the inputs, among those of the
            weights.
        """
        super().__init__()
        self.network = fold_norms(deepcopy(network)).eval().requires_grad_(False)
        for module in self.network.modules():
            if isinstance(module, Conv):
                # Other runtimes take a convolution of 1x1 as it is.
                module.__class__ = nn.Conv2d
        self.metadata, self.modality, self.size = metadata, modality, size
        width, height = size
        self.state = self.network.init_state(1, height, width)
        self.inputs: dict[str, Tensor] = {}
        if 'camera' in SENSORS[modality]:
            self.inputs[IMAGE] = torch.zeros(1, height, width, 3, dtype=torch.uint8)
        if 'events' in SENSORS[modality]:
            config = self.network.config
            self.inputs[EVENTS] = torch.zeros(1, config.events or config.inputs, height, width)
        if modality == 'fusion':
            self.inputs[PRESENT] = torch.ones(1, 2)
        self.inputs[ELAPSED] = torch.full((1,), metadata.nominal_step)

    def forward(self, inputs: dict[str, Tensor], state: dict[str, Tensor]) -> dict[str, Tensor]:
        """
        Advance streams by one step.

        :param inputs: tensors as in :attr:`inputs`, of any number of streams B.
        :param state: potentials ``[B, C, h, w]`` as in :attr:`state`.
        :returns: ``scores``, float32 ``[B, K, H, W]`` of the classes; ``mask``, uint8
            ``[B, H, W]`` of class ids; and the new state, each name with :data:`NEXT` before it.
        """
        images, events = self._images(inputs), inputs.get(EVENTS)
        if self.metadata.modality == 'events':
            # A network for events only takes them as its image.
            images, events = events, None
        images, events, present = (None if x is None else x[None]
                                   for x in (images, events, inputs.get(PRESENT)))
        elapsed: float | Tensor = inputs[ELAPSED] / self.metadata.nominal_step
        scores = None
        steps = self.network.config.steps
        for _ in range(steps):
            prediction = self.network(images, state, False, elapsed, events, present)
            last = prediction.logits[-1][0]
            scores = last if scores is None else scores + last
            state, elapsed = prediction.state, 1.0
        if steps > 1:
            scores = scores / steps
        return {SCORES: scores, MASK: scores.argmax(1).to(torch.uint8),
                **{NEXT + name: potential for name, potential in state.items()}}

    def _images(self, inputs: dict[str, Tensor]) -> Tensor | None:
        """Return normalised images ``[B, 3, H, W]``."""
        if IMAGE not in inputs:
            return None
        return normalise(inputs[IMAGE].permute(0, 3, 1, 2), self.metadata)
