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
from torch.autograd.function import once_differentiable

# Rounding puts the first spike at half a unit: the threshold of the binary neuron.
THRESHOLD = 0.5
LEAST_LEAK = 1e-3


def _charge(current: Tensor, potential: Tensor, kept: float | Tensor, out: Tensor | None = None
            ) -> Tensor:
    """Give u; ``kept`` is leak**e."""
    if isinstance(kept, Tensor):
        # A float32 leak must not turn a bfloat16 stream into float32.
        return torch.addcmul(current, potential, kept.to(current.dtype), out=out)
    return torch.add(current, potential, alpha=kept, out=out)


def _fire(charged: Tensor, levels: int, out: Tensor | None = None) -> Tensor:
    """Give s."""
    return torch.clamp(charged, 0, levels, out=out).round_()


def _reset(charged: Tensor, fired: Tensor, levels: int) -> Tensor:
    """Give v."""
    return charged * (1 - fired) if levels == 1 else charged - fired


# (gradient of s, u, 0, D): the gradient of clip alone, 1 strictly between 0 and D, in one pass.
_surrogate = torch.ops.aten.hardtanh_backward


class _Fire(torch.autograd.Function):
    """One step's spikes, with the surrogate gradient."""

    @staticmethod
    def forward(ctx, charged: Tensor, levels: int) -> Tensor:
        ctx.save_for_backward(charged)
        ctx.levels = levels
        return _fire(charged, levels)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        (charged,) = ctx.saved_tensors
        return _surrogate(gradient, charged, 0, ctx.levels), None


class _Run(torch.autograd.Function):
    """
    T steps, of which the backward pass keeps u alone: s and v follow from it.

    Left to autograd, the steps give the same gradients from two to three times the memory.
    """

    @staticmethod
    def forward(ctx, currents: Tensor, first: Tensor | None, kept: float | Tensor, levels: int
                ) -> tuple[Tensor, Tensor]:
        """:param first: u of the first step; None: its current, to a neuron at rest."""
        # Laid out in memory as the currents are: stacking steps would lose channels last.
        charged, spikes = torch.empty_like(currents), torch.empty_like(currents)
        potential = None
        for current, u, s in zip(currents, charged, spikes):
            if potential is None:
                u.copy_(current if first is None else first)
            else:
                _charge(current, potential, kept, out=u)
            _fire(u, levels, out=s)
            potential = _reset(u, s, levels)
        ctx.save_for_backward(charged)
        # A learned leak is small, and made for this call alone.
        ctx.kept, ctx.levels, ctx.at_rest = kept, levels, first is None
        return spikes, potential

    @staticmethod
    @once_differentiable
    def backward(ctx, s_gradient: Tensor, v_gradient: Tensor):
        (charged,), kept = ctx.saved_tensors, ctx.kept
        leak_gradient = torch.zeros_like(kept) if ctx.needs_input_grad[2] else None
        gradient = torch.empty_like(charged)
        for step in reversed(range(len(charged))):
            u, u_gradient = charged[step], gradient[step]
            _surrogate(s_gradient[step], u, 0, ctx.levels, grad_input=u_gradient)
            # Through the reset, to which s is a constant.
            if ctx.levels == 1:
                silent = torch.le(u, THRESHOLD, out=torch.empty_like(u))  # 1 - s, in one pass
                u_gradient.addcmul_(v_gradient, silent)
            else:
                u_gradient += v_gradient
            if step:
                v_gradient = u_gradient * kept
                if leak_gradient is not None:
                    before = charged[step - 1]
                    v = _reset(before, _fire(before, ctx.levels), ctx.levels)
                    leak_gradient += (u_gradient * v).sum_to_size(kept.shape)
        if ctx.at_rest:
            return gradient, None, leak_gradient, None
        first_gradient = gradient[0].clone()
        gradient[0] = 0
        return gradient, first_gradient, leak_gradient, None


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
            charged = _charge(current, potential, self._kept(elapsed))
        # Where no gradient is asked for, the function that has one costs as much as a small layer.
        fire = _Fire.apply if charged.requires_grad else _fire
        spikes = fire(charged, self.levels)
        fired = spikes.detach()
        if self.levels == 1 or potential is None or charged.requires_grad:
            return spikes, _reset(charged, fired, self.levels)
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
        first = None
        if potential is not None:
            check_potential(currents[0], potential)
            first = _charge(currents[0], potential, self._kept(elapsed))
        return _Run.apply(currents, first, self._kept(1.0), self.levels)

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
