# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""State of a network of named neurons: names, rest, and steps that depend on each other."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mfs_seg_core.model.blocks import Recall
from mfs_seg_core.model.state import Neuron, State


class Prediction(NamedTuple):
    """
    Result of a pass through the network.

    :param logits: class scores ``[T, B, K, h, w]`` at 1/4, 1/2 and full scale.
    :param state: every membrane potential ``[B, C, h, w]`` by neuron name, after the last step, and
        the currents stored by :class:`~mfs_seg_core.model.blocks.Recall`, by the name of the block.
    :param rates: mean spikes of a neuron in a step, ``[B]``, by neuron name; empty unless
        requested.
    """

    logits: tuple[Tensor, ...]
    state: State
    rates: dict[str, Tensor]


class Stateful(nn.Module):
    """Network whose neurons have names, under which callers keep their potentials."""

    def name_neurons(self) -> None:
        """Name each neuron and recurrent block, as the state does."""
        for name, module in self.named_modules():
            if isinstance(module, (Neuron, Recall)):
                module.name = name

    def step_by_step(self, inputs: tuple[Tensor | None, ...], state: State | None, rates: bool,
                     elapsed: float | Tensor) -> Prediction:
        """
        Advance T steps one after the other, where a step needs the decoder's output before it.

        :param inputs: images, events and present sensors, each ``[T, ...]`` or None.
        :param state: state before the steps; None: rest.
        :param rates: measure firing rates.
        :param elapsed: time before the first step, in nominal steps.
        :returns: result of all steps.
        """
        predictions = []
        steps = next(len(x) for x in inputs if x is not None)
        for t in range(steps):
            image, events, present = (None if x is None else x[t:t + 1] for x in inputs)
            predictions.append(self(image, state, rates, elapsed, events, present))
            state, elapsed = predictions[-1].state, 1.0
        logits = tuple(torch.cat(scale) for scale in zip(*(p.logits for p in predictions)))
        means = {name: torch.stack([p.rates[name] for p in predictions]).mean(0)
                 for name in predictions[0].rates}
        return Prediction(logits, state, means)

    @torch.no_grad()
    def init_state(self, batch: int, height: int, width: int) -> State:
        """
        Return the state of streams at rest: zeros, in the dtype and on the device of the weights.

        The shapes come from a pass over a blank image.

        :param batch: number of streams B.
        :param height: height of the images.
        :param width: width of the images.
        :returns: potentials ``[B, C, h, w]`` by neuron name.
        """
        blank = next(self.parameters()).new_zeros(1, batch, self.config.inputs, height, width)
        training = self.training
        state = self.eval()(blank).state
        self.train(training)
        return {name: torch.zeros_like(potential) for name, potential in state.items()}

    def check_inputs(self, images: Tensor | None, events: Tensor | None) -> None:
        """
        Reject inputs that the network does not take.

        :param images: pixels, or None.
        :param events: event tensors, or None.
        :raises ValueError: there is no input, or the network takes no events.
        """
        if (images is None and events is None) or (events is not None and not self.config.events):
            raise ValueError('the network needs '
                             + ('images, events or both' if self.config.events else 'images'))

    def check_names(self, state: State) -> None:
        """
        Reject the state of another network.

        :param state: state before a pass.
        :raises ValueError: the names differ.
        """
        expected = {module.name for module in self.modules()
                    if isinstance(module, (Neuron, Recall))}
        if expected != state.keys():
            raise ValueError(
                f'the state is of another network: {len(expected - state.keys())} of '
                f'{len(expected)} potentials are missing from it, '
                f'{len(state.keys() - expected)} are unknown; start from init_state() or None')
