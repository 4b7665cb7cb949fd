# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Leaky integrate-and-fire neurons: state in, state out.

:func:`lif_step` is the equation of one time step, :class:`LIF` a layer of such neurons.

D = 1 is the binary neuron of MFS-Seg's authors (threshold 0.5, leak 0.25, hard reset; EMS-YOLO,
Su et al., ICCV 2023). D > 1 is the integer neuron I-LIF (Luo et al., SpikeYOLO, ECCV 2024): a spike
of value k stands for k unit spikes within the step. A signed integer neuron fires -D..D, a negative
spike being a unit spike that is subtracted.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

# Rounding puts the first spike at half a unit: the threshold of the binary neuron.
THRESHOLD = 0.5
LEAST_LEAK = 1e-3


def lif_step(current: Tensor, potential: Tensor | None, decay: float | Tensor, levels: int,
             least: int = 0) -> tuple[Tensor, Tensor]:
    """
    Advance leaky integrate-and-fire neurons by one time step.

    With input current x, membrane potential v and D spike levels::

        u[t] = decay * v[t-1] + x[t]         charge
        s[t] = round(clip(u[t], L, D))       fire: an integer L..D
        v[t] = u[t] * (1 - s[t])   D = 1     hard reset to 0 after a spike
        v[t] = u[t] - s[t]         D > 1     soft reset: subtract the spikes

    The step function of firing has no useful derivative. Its surrogate gradient is the rectangle
    ds/du = 1 for L < u < D, 0 elsewhere; the reset is a constant to the gradient.

    :param current: x, any shape and float dtype.
    :param potential: v[t-1], shaped as ``current``; None: rest, v[t-1] = 0.
    :param decay: ``leak ** e``, where e is the time since the last step in nominal steps.
    :param levels: D.
    :param least: L, the smallest spike: 0, or -D for signed neurons.
    :returns: spikes s[t] in the dtype of ``current``, and v[t].
    """
    charged = current if potential is None else _charge(current, potential, decay)
    # The function with a gradient costs as much as a small layer: only where one is required.
    spikes = (_SurrogateFire.apply if charged.requires_grad else _fire)(charged, levels, least)
    # Without a gradient nothing else holds u: v can overwrite it.
    in_place = potential is not None and not charged.requires_grad
    return spikes, _reset(charged, spikes.detach(), levels, in_place)


def _charge(current: Tensor, potential: Tensor, decay: float | Tensor, out: Tensor | None = None
            ) -> Tensor:
    """Return u."""
    if isinstance(decay, Tensor):
        # A float32 leak must not turn a bfloat16 stream into float32.
        return torch.addcmul(current, potential, decay.to(current.dtype), out=out)
    return torch.add(current, potential, alpha=decay, out=out)


def _fire(charged: Tensor, levels: int, least: int, out: Tensor | None = None) -> Tensor:
    """Return s."""
    return torch.clamp(charged, least, levels, out=out).round_()


def _reset(charged: Tensor, spikes: Tensor, levels: int, in_place: bool = False) -> Tensor:
    """Return v."""
    if levels == 1:
        return charged * (1 - spikes)
    return charged.sub_(spikes) if in_place else charged - spikes


# (gradient of s, u, L, D): the gradient of clip alone, 1 strictly between L and D, in one pass.
_surrogate_gradient = torch.ops.aten.hardtanh_backward


class _SurrogateFire(torch.autograd.Function):
    """Spikes of one step, with the surrogate gradient."""

    @staticmethod
    def forward(ctx, charged: Tensor, levels: int, least: int) -> Tensor:
        ctx.save_for_backward(charged)
        ctx.levels, ctx.least = levels, least
        return _fire(charged, levels, least)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        (charged,) = ctx.saved_tensors
        return _surrogate_gradient(gradient, charged, ctx.least, ctx.levels), None, None


class _MultiStepLIF(torch.autograd.Function):
    """
    T steps, of which the backward pass keeps u alone: s and v follow from it.

    Left to autograd, the steps give the same gradients from two to three times the memory.
    """

    @staticmethod
    def forward(ctx, currents: Tensor, first: Tensor | None, decay: float | Tensor, levels: int,
                least: int) -> tuple[Tensor, Tensor]:
        # ``first`` is u of the first step; None: its current, as the neuron is at rest.
        # empty_like keeps the memory layout, stacked steps would not be channels last.
        charged, spikes = torch.empty_like(currents), torch.empty_like(currents)
        potential = None
        for current, u, s in zip(currents, charged, spikes):
            if potential is None:
                u.copy_(current if first is None else first)
            else:
                _charge(current, potential, decay, out=u)
            _fire(u, levels, least, out=s)
            potential = _reset(u, s, levels)
        ctx.save_for_backward(charged)
        # A learned leak is small, and made for this call alone.
        ctx.decay, ctx.levels, ctx.least, ctx.at_rest = decay, levels, least, first is None
        return spikes, potential

    @staticmethod
    @once_differentiable
    def backward(ctx, s_gradient: Tensor, v_gradient: Tensor):
        (charged,), decay = ctx.saved_tensors, ctx.decay
        decay_gradient = torch.zeros_like(decay) if ctx.needs_input_grad[2] else None
        gradient = torch.empty_like(charged)
        for step in reversed(range(len(charged))):
            u, u_gradient = charged[step], gradient[step]
            _surrogate_gradient(s_gradient[step], u, ctx.least, ctx.levels, grad_input=u_gradient)
            # Through the reset, in which s is a constant.
            if ctx.levels == 1:
                silent = torch.le(u, THRESHOLD, out=torch.empty_like(u))  # 1 - s, in one pass
                u_gradient.addcmul_(v_gradient, silent)
            else:
                u_gradient += v_gradient
            if step:
                v_gradient = u_gradient * decay
                if decay_gradient is not None:
                    before = charged[step - 1]
                    v = _reset(before, _fire(before, ctx.levels, ctx.least), ctx.levels)
                    decay_gradient += (u_gradient * v).sum_to_size(decay.shape)
        if ctx.at_rest:
            return gradient, None, decay_gradient, None, None
        first_gradient = gradient[0].clone()
        gradient[0] = 0
        return gradient, first_gradient, decay_gradient, None, None


class LIF(nn.Module):
    """
    Layer of leaky integrate-and-fire neurons, one for each element of its input.

    The layer holds no state: it takes the potential and returns the new one. Its only weights are
    learned leaks.
    """

    def __init__(self, levels: int = 1, leak: float = 0.25, channels: int = 0,
                 signed: bool = False):
        """
        Create a layer with a fixed leak, or with learned ones.

        :param levels: D, the largest value of a spike (1: binary).
        :param leak: share of the potential that remains after one nominal step, 0..1.
        :param channels: number of channels that each learn a leak, starting at ``leak``, for
            currents ``[B, C, H, W]``; 0: the leak is fixed, for currents of any shape.
        :param signed: fire -D..D instead of 0..D; needs D above 1.
        :raises ValueError: a value is out of range.
        """
        super().__init__()
        if levels < 1:
            raise ValueError(f'levels must be at least 1, not {levels}')
        if not 0.0 <= leak <= 1.0:
            raise ValueError(f'leak must lie in 0..1, not {leak}')
        if signed and levels == 1:
            raise ValueError('signed neurons need levels above 1: binary spikes are 0 or 1')
        self.levels = levels
        self.least = -levels if signed else 0
        self.leak = nn.Parameter(torch.full((channels, 1, 1), leak)) if channels else leak

    def forward(self, current: Tensor, potential: Tensor | None = None,
                elapsed: float | Tensor = 1.0) -> tuple[Tensor, Tensor]:
        """
        Advance one time step.

        :param current: input current, any shape and float dtype.
        :param potential: membrane potential after the last step, shaped as ``current``; None: rest.
        :param elapsed: time since the last step in nominal steps, above 0; as a tensor
            ``[B, 1, ...]``.
        :returns: spikes (integers L..D in the dtype of ``current``) and the new potential.
        :raises ValueError: the potential has another shape, dtype or device than the current.
        """
        if potential is None:
            return lif_step(current, None, 1.0, self.levels, self.least)
        check_potential(current, potential)
        return lif_step(current, potential, self._decay(elapsed), self.levels, self.least)

    def _decay(self, elapsed: float | Tensor) -> float | Tensor:
        """Return the share of the potential that remains after ``elapsed``."""
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
        :param potential: membrane potential ``[B, ...]`` before the first step; None: rest.
        :param elapsed: time before the first step, as in :meth:`forward`; the others follow after
            one nominal step each.
        :returns: spikes ``[T, B, ...]`` and the potential ``[B, ...]`` after the last step.
        :raises ValueError: the potential has another shape, dtype or device than the currents.
        """
        if len(currents) == 1:
            # The gradient of currents[0] would lose the memory layout.
            spike, potential = self(currents.squeeze(0), potential, elapsed)
            return spike.unsqueeze(0), potential
        first = None
        if potential is not None:
            check_potential(currents[0], potential)
            first = _charge(currents[0], potential, self._decay(elapsed))
        return _MultiStepLIF.apply(currents, first, self._decay(1.0), self.levels, self.least)

    def extra_repr(self) -> str:
        """Return the settings of the layer, for ``repr``."""
        leak = f'{len(self.leak)} learned' if isinstance(self.leak, Tensor) else self.leak
        return f'levels={self.levels}, least={self.least}, leak={leak}'


def check_potential(current: Tensor, potential: Tensor) -> None:
    """
    Reject a potential that does not fit the current, which arithmetic would broadcast or convert.

    :param current: current of one step.
    :param potential: membrane potential before it.
    :raises ValueError: shape, dtype or device differ.
    """
    for what in ('shape', 'dtype', 'device'):
        expected, found = getattr(current, what), getattr(potential, what)
        if expected != found:
            raise ValueError(
                f'the potential has {what} {found}, the current {expected}: '
                'pass the state of this stream, or None to start from rest')
