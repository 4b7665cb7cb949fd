# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Compare an exported model with its network in PyTorch.

No two implementations add numbers in one order. A rounding error moves some potential across its
threshold, and that spike moves others, so that masks with kept state differ in some pixels after a
few frames, whatever the runtime. Two comparisons tell that from a wrong model:

- On plain images, with PyTorch's state before each step: rounding moves no potential across a
  threshold in most steps, and then every number of every tensor is that of PyTorch. A layer with a
  wrong weight, leak or operation differs in every step.
- On drives of Street, with kept state: masks differ in no more pixels than rounding explains, which
  is measured on the network itself, its weights changed by 1e-7 of their size.

A program of the native engine is compared by its masks, with the network whose weights are those of
the engine. Its potentials have 16 bits, so rounding is 2 ** -11 there.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch

from mfs_seg_core.export.runners import Arrays, Start, TorchRunner
from mfs_seg_core.export.samples import plain_inputs, street_inputs
from mfs_seg_core.export.step import MASK, SCORES, StepNetwork
from mfs_seg_core.streaming.inputs import Potentials

STEPS = 20
# Two numbers are equal up to this absolute and relative difference.
TOLERANCE = 1e-4
# Share of the numbers of a tensor that may differ in the median step.
MOST_NUMBERS = 0.02
# Change of weights that has the effect of rounding in 32 bits, and of potentials in 16.
ROUNDING, ROUNDING_16 = 1e-7, 2 ** -11
# Pixels that may differ: those that do by rounding, times a factor, and a margin for drives in
# which none do.
FACTOR, MARGIN = 2.0, 0.01


class ExportError(ValueError):
    """A model cannot be exported, or differs from its network; one sentence with the remedy."""


@dataclass(frozen=True)
class Numbers:
    """
    Agreement of scores and potentials after steps from the same state.

    :param tensor: name of the tensor with most numbers that differ.
    :param different: their share, in the median step.
    """

    tensor: str
    different: float


@dataclass(frozen=True)
class Masks:
    """
    Agreement of masks with kept state.

    :param same: share of the pixels with the same class.
    :param same_by_rounding: the same of the network and its copy with slightly changed weights.
    """

    same: float
    same_by_rounding: float


def rest(step: StepNetwork, streams: int) -> Potentials:
    """Return the state of streams at rest."""
    return {name: np.repeat(zeros.numpy(), streams, 0) for name, zeros in step.state.items()}


def check_numbers(step: StepNetwork, streams: int, start: Start) -> Numbers:
    """
    Compare scores and potentials after each step from the state of the network.

    :param step: the network.
    :param streams: number of streams.
    :param start: starts streams of the exported model.
    :returns: how far they agree.
    :raises ExportError: more numbers differ than rounding explains.
    """
    network, exported = (begin(rest(step, streams))
                         for begin in (lambda state: TorchRunner(step, state), start))
    shares: dict[str, list[float]] = {}
    for inputs in plain_inputs(step, streams, STEPS):
        exported.state = network.state
        expected, found = ({SCORES: runner.step(inputs)[SCORES], **runner.state}
                           for runner in (network, exported))
        for name, array in expected.items():
            equal = np.abs(found[name] - array) <= TOLERANCE * (1 + np.abs(array))
            shares.setdefault(name, []).append(1 - float(equal.mean()))
    medians = {name: float(np.median(values)) for name, values in shares.items()}
    worst = max(medians, key=medians.get)
    if not medians[worst] <= MOST_NUMBERS:
        raise ExportError(f'the exported model differs from the network in {medians[worst]:.0%} of '
                          f"the numbers of '{worst}', so nothing was written: export with the "
                          'versions of the packages that docs/export.md names')
    return Numbers(worst, medians[worst])


def check_masks(step: StepNetwork, streams: int, advance: Callable[[Arrays], Arrays],
                rounding: float = ROUNDING) -> Masks:
    """
    Compare masks of streams with kept state.

    :param step: the network.
    :param streams: number of streams.
    :param advance: advances streams of the exported model, at rest at first, by one step.
    :param rounding: change of weights that has the effect of rounding.
    :returns: how far they agree.
    :raises ExportError: more pixels differ than rounding explains.
    """
    network, changed = (TorchRunner(each, rest(step, streams))
                        for each in (step, _changed(step, rounding)))
    same, same_by_rounding = [], []
    for inputs in street_inputs(step, streams, STEPS):
        expected = network.step(inputs)[MASK]
        same.append(np.mean(advance(inputs)[MASK] == expected))
        same_by_rounding.append(np.mean(changed.step(inputs)[MASK] == expected))
    masks = Masks(float(np.mean(same)), float(np.mean(same_by_rounding)))
    if not 1 - masks.same <= MARGIN + FACTOR * (1 - masks.same_by_rounding):
        raise ExportError('masks of the exported model are those of the network in '
                          f'{masks.same:.1%} of the pixels, where rounding leaves '
                          f'{masks.same_by_rounding:.1%}, so nothing was written: export with the '
                          'versions of the packages that docs/export.md names')
    return masks


def _changed(step: StepNetwork, rounding: float) -> StepNetwork:
    """Return a copy whose weights differ by random shares of the size of rounding."""
    copy = deepcopy(step)
    random = torch.Generator().manual_seed(0)
    for weight in copy.parameters():
        weight.mul_(1 + rounding * torch.randn(weight.shape, generator=random))
    return copy
