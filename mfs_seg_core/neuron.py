# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Leaky integrate-and-fire neurons: state in, state out.

One time step, with input current x, membrane potential v and D spike levels::

    u[t] = leak**e * v[t-1] + x[t]       charge; e: time since the last step, in nominal steps
    s[t] = round(clip(u[t], 0, D))       fire: an integer 0..D
    v[t] = u[t] * (1 - s[t])   D = 1     reset to rest after a spike
    v[t] = u[t] - s[t]         D > 1     keep what the spikes did not carry away

D = 1 is the binary neuron of MFS-Seg's authors (threshold 0.5, leak 0.25, hard reset; EMS-YOLO,
Su et al., ICCV 2023). D > 1 is the integer neuron I-LIF (Luo et al., SpikeYOLO, ECCV 2024): a spike
of value k stands for k unit spikes within the step.

The step function of firing has no useful derivative. Its surrogate is the rectangle
ds/du = 1 for 0 < u < D, 0 elsewhere; the reset takes no part in the gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Rounding puts the first spike at half a unit: the threshold of the binary neuron.
THRESHOLD = 0.5
LEAST_LEAK = 1e-3


class _Fire(torch.autograd.Function):
    """round(clip(u, 0, D)) with the rectangular surrogate gradient."""

    @staticmethod
    def forward(ctx, potential: Tensor, levels: int) -> Tensor:
        ctx.save_for_backward(potential)
        ctx.levels = levels
        return potential.clamp(0, levels).round_()

    @staticmethod
    def backward(ctx, gradient: Tensor):
        (potential,) = ctx.saved_tensors
        # The gradient of clip alone: 1 strictly between 0 and D, 0 elsewhere, in one pass.
        return torch.ops.aten.hardtanh_backward(gradient, potential, 0, ctx.levels), None


class LIF(nn.Module):
    """
    A layer of leaky integrate-and-fire neurons, one for each element of its input.

    It holds no state: the potential is given and returned. Its only weights are learned leaks.
    """

    def __init__(self, levels: int = 1, leak: float = 0.25, channels: int = 0):
        """
        :param levels: D, the largest value of a spike (1: binary).
        :param leak: share of the potential that is left one nominal step later, 0..1.
        :param channels: learn the leak of each of so many channels, from ``leak`` on, for currents
            ``[B, C, H, W]``; 0: it is fixed, for currents of any shape.
        """
        super().__init__()
        if levels < 1:
            raise ValueError(f'levels must be at least 1, not {levels}')
        if not 0.0 <= leak <= 1.0:
            raise ValueError(f'leak must lie in 0..1, not {leak}')
        self.levels = levels
        self.leak = nn.Parameter(torch.full((channels, 1, 1), leak)) if channels else leak

    def forward(self, current: Tensor, potential: Tensor | None = None,
                elapsed: float | Tensor = 1.0) -> tuple[Tensor, Tensor]:
        """
        Advance one time step.

        :param current: input current, any shape and float dtype.
        :param potential: membrane potential after the last step, shaped as ``current``; None: rest.
        :param elapsed: time since the last step in nominal steps, above 0; as a tensor
            ``[B, 1, ...]``.
        :returns: spikes (integers 0..D in the dtype of ``current``) and the new potential.
        :raises ValueError: the potential has another shape, dtype or device than the current.
        """
        if potential is None:
            charged = current
        else:
            check_potential(current, potential)
            kept = self._kept(elapsed)
            charged = (torch.addcmul(current, potential, kept) if isinstance(kept, Tensor)
                       else torch.add(current, potential, alpha=kept))
        spikes = _Fire.apply(charged, self.levels)
        fired = spikes.detach()
        if self.levels == 1:
            return spikes, charged * (1 - fired)
        if potential is None or charged.requires_grad:
            return spikes, charged - fired
        # Nobody else has the charge: no new memory for what is left of it.
        return spikes, charged.sub_(fired)

    def _kept(self, elapsed: float | Tensor) -> float | Tensor:
        """Give the share of the potential that is left."""
        leak = self.leak
        if isinstance(leak, Tensor):
            # Not 0, where a power below 1 has no gradient.
            leak = leak.clamp(LEAST_LEAK, 1)
        return leak if isinstance(elapsed, float) and elapsed == 1 else leak ** elapsed

    def run(self, currents: Tensor, potential: Tensor | None = None,
            elapsed: float | Tensor = 1.0) -> tuple[Tensor, Tensor]:
        """
        Advance T time steps: the same numbers as T calls of :meth:`forward`.

        :param currents: ``[T, B, ...]``, T >= 1.
        :param elapsed: of the first step; the others follow after one nominal step each.
        :returns: spikes ``[T, B, ...]`` and the potential ``[B, ...]`` after the last step.
        """
        if len(currents) == 1:
            spike, potential = self(currents[0], potential, elapsed)
            return spike.unsqueeze(0), potential
        spikes = []
        for current in currents.unbind(0):
            spike, potential = self(current, potential, elapsed)
            spikes.append(spike)
            elapsed = 1.0
        # cat keeps a channels-last layout, stack does not.
        return torch.cat(spikes).unflatten(0, currents.shape[:2]), potential

    def extra_repr(self) -> str:
        leak = f'{len(self.leak)} learned' if isinstance(self.leak, Tensor) else self.leak
        return f'levels={self.levels}, leak={leak}'


def check_potential(current: Tensor, potential: Tensor) -> None:
    """Refuse a foreign potential: arithmetic would broadcast or convert it without a word."""
    for what in ('shape', 'dtype', 'device'):
        ours, theirs = getattr(current, what), getattr(potential, what)
        if ours != theirs:
            raise ValueError(
                f'the potential has {what} {theirs}, the current {ours}: '
                'pass the state of this stream, or None to start from rest')
