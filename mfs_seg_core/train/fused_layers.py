# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Layers of the network that train in fused passes on a CPU, with the same weights and results."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, distributed, nn

from mfs_seg_core.engine.library import EngineUnavailableError
from mfs_seg_core.engine.training import KERNELS, training_kernels
from mfs_seg_core.model.batch_norm import ThresholdBatchNorm
from mfs_seg_core.model.blocks import Conv, EFSRes, Recall
from mfs_seg_core.model.layout import per_image
from mfs_seg_core.model.neuron import check_potential
from mfs_seg_core.model.state import Membranes, Neuron
from mfs_seg_core.train.fused import Norm, Spikes, batch_moments, depthwise, fits, fused_layer


class FusedNorm(ThresholdBatchNorm):
    """Batch norm in one pass for its statistics and one for its output."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``[N, C, H, W]``."""
        if not self.fuses(x):
            return super().forward(x)
        return fused_layer(x, self.weight, self.bias, self.measure(x))

    def fuses(self, x: Tensor) -> bool:
        """Return whether the fused passes compute the output of ``x``."""
        shared = distributed.is_available() and distributed.is_initialized()
        # torch rejects a single value for each channel, which has no variance.
        return self.training and not shared and fits(x) and x.numel() > x.shape[1]

    @torch.no_grad()
    def measure(self, x: Tensor) -> Norm:
        """Return the statistics of a batch, and update the running ones."""
        mean, variance = batch_moments(x)
        count = x.numel() / x.shape[1]
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        return Norm(mean, variance, self.eps)


class FusedNeuron(Neuron):
    """Layer of neurons whose step, from a state or from rest, is one pass."""

    def fire(self, currents: Tensor, potential: Tensor | None, elapsed: float | Tensor,
             measure_rates: bool) -> tuple[Tensor, Tensor, Tensor | None]:
        """Advance T time steps; of these, a single one is fused."""
        if not self.fuses(currents, potential):
            return super().fire(currents, potential, elapsed, measure_rates)
        return self.step(currents.squeeze(0), potential, elapsed, measure_rates)

    def fuses(self, currents: Tensor, potential: Tensor | None) -> bool:
        """Return whether the fused pass computes the step of these currents ``[T, B, C, H, W]``."""
        return (self.training and len(currents) == 1 and fits(currents.squeeze(0))
                and (potential is None or fits(potential)))

    def step(self, x: Tensor, potential: Tensor | None, elapsed: float | Tensor,
             measure_rates: bool, norm: FusedNorm | None = None
             ) -> tuple[Tensor, Tensor, Tensor | None]:
        """
        Advance one time step.

        :param x: current, or input of ``norm``, ``[B, C, H, W]``.
        :param potential: membrane potential before the step; None: rest.
        :param elapsed: time since the last step in nominal steps.
        :param measure_rates: measure the firing rates.
        :param norm: norm whose output is the current; None: there is none.
        :returns: spikes ``[1, B, C, H, W]``, the new potential ``[B, C, H, W]``, and the mean size
            of a spike ``[B]`` or None.
        :raises ValueError: the potential has another shape, dtype or device than the current.
        """
        decay = None
        if potential is not None:
            check_potential(x, potential)
            decay = torch.as_tensor(self._decay(elapsed), dtype=x.dtype)
            # Learned leaks have no dimension of streams, numbers have no dimension.
            decay = decay.view((1,) * (4 - decay.dim()) + decay.shape)
            decay = decay.expand(-1, x.shape[1], 1, 1).flatten(1).contiguous()
        weights = (None, None, None) if norm is None else (norm.weight, norm.bias, norm.measure(x))
        spikes, potential, rates = fused_layer(x, *weights, potential, decay,
                                               Spikes(self.levels, self.least, measure_rates))
        return spikes.unsqueeze(0), potential, rates


class NormedNeuron(NamedTuple):
    """
    Neuron that takes the input of the norm before it, in place of a Neuron.

    :param norm: the norm.
    :param neuron: the neuron.
    """

    norm: FusedNorm
    neuron: FusedNeuron

    @property
    def name(self) -> str:
        """Name of the potential in the state."""
        return self.neuron.name

    @property
    def analogue(self) -> bool:
        """Whether the neuron is that of an artificial network."""
        return self.neuron.analogue

    def clip(self, current: Tensor) -> Tensor:
        """Return the activation of an artificial network."""
        return self.neuron.clip(per_image(self.norm, current))

    def fire(self, x: Tensor, potential: Tensor | None, elapsed: float | Tensor,
             measure_rates: bool) -> tuple[Tensor, Tensor, Tensor | None]:
        """Normalise ``[T, B, C, H, W]`` and advance T time steps."""
        if self.neuron.fuses(x, potential) and self.norm.fuses(x.squeeze(0)):
            return self.neuron.step(x.squeeze(0), potential, elapsed, measure_rates, self.norm)
        return self.neuron.fire(per_image(self.norm, x), potential, elapsed, measure_rates)


class FusedConv(Conv):
    """Convolution of size 1x1, or a depthwise one of stride 1 with fast gradients."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``[N, C, H, W]``."""
        if self.training and self._is_depthwise() and fits(x):
            return depthwise(x, self.weight)
        return super().forward(x)

    def _is_depthwise(self) -> bool:
        size = self.kernel_size[0]
        return (self.groups == self.in_channels == self.out_channels and size in KERNELS
                and self.kernel_size == (size, size) and self.padding == (size // 2, size // 2)
                and self.stride == (1, 1) and self.bias is None)


def _branch(block: EFSRes, x: Tensor, membranes: Membranes) -> Tensor:
    """Return the branch of a block; in training, each norm is fused with the neurons after it."""
    if not block.training:
        return EFSRes.branch(block, x, membranes)
    x = per_image(block.expand.conv, membranes.fire(block.expand.lif, x))
    for before, layer in ((block.expand, block.depthwise), (block.depthwise, block.project)):
        spikes = membranes.fire(NormedNeuron(before.norm, layer.lif), x)
        x = per_image(layer.conv, spikes)
    return per_image(block.project.norm, x)


class FusedEFSRes(EFSRes):
    """Block whose norms are fused with the neurons that follow."""

    branch = _branch


class FusedRecall(Recall):
    """Recurrent block whose norms are fused with the neurons that follow."""

    branch = _branch


FUSED: dict[type[nn.Module], type[nn.Module]] = {
    ThresholdBatchNorm: FusedNorm, Neuron: FusedNeuron, Conv: FusedConv, EFSRes: FusedEFSRes,
    Recall: FusedRecall}


def fuse(network: nn.Module) -> bool:
    """
    Let the layers of a network train in fused passes, where they are on a CPU in float32.

    The layers keep their weights and names. Elsewhere, and in evaluation, they run as before.

    :param network: network, changed in place.
    :returns: whether there are fused passes on this machine; without them nothing changes.
    """
    try:
        training_kernels()
    except EngineUnavailableError:
        return False
    for module in network.modules():
        # A subclass without attributes of its own takes the place of the class.
        module.__class__ = FUSED.get(type(module), type(module))
    return True
