# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Membrane potentials of a network: named neurons, and their state before and after a pass."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from mfs_seg_core.model.neuron import LIF, check_potential

# Membrane potentials [B, C, H, W] by the name of their neuron.
State = dict[str, Tensor]


@dataclass(frozen=True)
class Spiking:
    """
    Settings that all neurons of a network share.

    :param levels: D, the largest value of a spike.
    :param leak: share of the potential that remains after one nominal step, 0..1.
    :param learn_leak: learn a leak for each channel, starting at ``leak``.
    :param signed: neurons that read the current of a shortcut fire -D..D.
    :param analogue: the neurons of an artificial network: they clip (ReLU6), or pass on the current
        where a neuron would be signed, and have no state.
    """

    levels: int
    leak: float
    learn_leak: bool
    signed: bool = False
    analogue: bool = False


class Neuron(LIF):
    """LIF layer with the name of its potential in the state of the network."""

    def __init__(self, channels: int, spiking: Spiking, signed: bool = False):
        super().__init__(spiking.levels, spiking.leak, channels if spiking.learn_leak else 0,
                         signed)
        self.name = ''
        self.analogue = spiking.analogue

    def fire(self, currents: Tensor, potential: Tensor | None, elapsed: float | Tensor,
             measure_rates: bool) -> tuple[Tensor, Tensor, Tensor | None]:
        """
        Advance T time steps, and measure firing rates if requested.

        :param currents: ``[T, B, C, H, W]``.
        :param potential: membrane potential ``[B, C, H, W]`` before the first step; None: rest.
        :param elapsed: time before the first step, in nominal steps.
        :param measure_rates: measure the firing rates.
        :returns: spikes ``[T, B, C, H, W]``, the potential after the last step, and the mean size
            of a spike ``[B]``, float32, or None.
        :raises ValueError: the potential has another shape, dtype or device than the currents.
        """
        spikes, potential = self.run(currents, potential, elapsed)
        if not measure_rates:
            return spikes, potential, None
        # A negative spike is as many unit spikes as a positive one.
        units = spikes.detach().abs() if self.least else spikes.detach()
        return spikes, potential, units.mean((0, 2, 3, 4), dtype=torch.float32)

    def clip(self, current: Tensor) -> Tensor:
        """Return the activation of an artificial network in the place of the spikes."""
        return current if self.least else functional.relu6(current)


class Membranes:
    """Potentials before and after one pass through the network, by the name of the neuron."""

    def __init__(self, before: State | None, measure_rates: bool = False,
                 elapsed: float | Tensor = 1.0):
        """
        Start a pass.

        :param before: state before the pass; None: rest.
        :param measure_rates: measure the firing rates of the neurons.
        :param elapsed: time since the last step, in nominal steps; a tensor is ``[B, 1, 1, 1]``.
        """
        self.before = before
        self.elapsed = elapsed
        self.after: State = {}
        self.measure_rates = measure_rates
        self.rates: dict[str, Tensor] = {}

    def fire(self, neuron: Neuron, current: Tensor) -> Tensor:
        """
        Step a neuron and store its new potential.

        :param neuron: layer to step.
        :param current: its input current ``[T, B, C, H, W]``.
        :returns: spikes ``[T, B, C, H, W]``.
        :raises ValueError: the potential does not fit the current.
        """
        if neuron.analogue:
            return neuron.clip(current)
        potential = None if self.before is None else self.before[neuron.name]
        try:
            spikes, self.after[neuron.name], rates = neuron.fire(
                current, potential, self.elapsed, self.measure_rates)
        except ValueError as error:
            raise ValueError(f'neuron {neuron.name}: {error}') from None
        if rates is not None:
            self.rates[neuron.name] = rates
        return spikes

    def recall(self, name: str, like: Tensor) -> Tensor:
        """
        Return a current that the step before stored.

        :param name: its name in the state.
        :param like: current ``[1, B, C, H, W]`` whose shape, dtype and device it must have.
        :returns: current ``[1, B, C, H, W]``; zeros at rest.
        :raises ValueError: the stored current does not fit ``like``.
        """
        if self.before is None:
            return torch.zeros_like(like)
        try:
            check_potential(like[0], self.before[name])
        except ValueError as error:
            raise ValueError(f'{name}: {error}') from None
        return self.before[name].unsqueeze(0)
