# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What each of several streams keeps, where they step through one network together.

The state of a step stays as the network gave it, one tensor of all its streams a neuron, and a
stream knows its row. While the same streams come again, in any order, nothing is copied. When the
company changes, the state is put together anew, and those who stayed away take their rows with
them, so that no row keeps the others in memory.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import torch

from mfs_seg_core.model.blocks import State


class Memory:
    """What one stream keeps from step to step: nothing at rest, else its row of a state."""

    def __init__(self):
        self._company: _Company | None = None
        self.row = 0

    def clear(self) -> None:
        """Return to rest."""
        self._company, self.row = None, 0

    def state(self) -> State | None:
        """Give views of this stream's potentials, ``[1, C, H, W]``; None: it is at rest."""
        if self._company is None:
            return None
        return {name: potential[self.row:self.row + 1]
                for name, potential in self._company.state.items()}


class _Company:
    """The state after a step, and the streams that took it."""

    def __init__(self, state: State, memories: Sequence[Memory]):
        self.state = state
        # A stream that is gone, or at rest, has no more to keep.
        self._members = [weakref.ref(memory) for memory in memories]
        for row, memory in enumerate(memories):
            memory._company, memory.row = self, row

    def part(self) -> None:
        """Give those who are still here a state of their own."""
        for member in self._members:
            memory = member()
            if memory is not None and memory._company is self:
                _Company({name: row.clone() for name, row in memory.state().items()}, [memory])


def gather(memories: Sequence[Memory]) -> State | None:
    """
    Give the state of several streams, in their order; zeros for one at rest among others.

    Without a copy if they are all who took the last step, in the order of their rows.

    :returns: None: all are at rest.
    """
    companies = {memory._company for memory in memories}
    awake = [company for company in companies if company is not None]
    if not awake:
        return None
    first = awake[0].state
    if len(companies) == 1 and [memory.row for memory in memories] == list(
            range(len(awake[0]._members))):
        return first
    states = [memory.state() for memory in memories]
    return {name: torch.cat([torch.zeros_like(potential[:1]) if state is None else state[name]
                             for state in states])
            for name, potential in first.items()}


def keep(memories: Sequence[Memory], state: State) -> None:
    """Keep the state after a step of these streams, in their order."""
    before = {memory._company for memory in memories} - {None}
    _Company(state, memories)
    for company in before:
        company.part()
