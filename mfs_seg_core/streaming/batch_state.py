# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
States of streams that step through one network as a batch.

The state after a step stays as the network returned it, one tensor per neuron with one row per
stream, and each stream keeps the index of its row. While the same streams step together, in any
order, no state is copied. When the set of streams changes, the next state is concatenated from
their rows, and the streams that did not take part get copies of theirs: else one row would keep the
tensors of all streams in memory.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import torch

from mfs_seg_core.model.state import State


class StreamState:
    """State of one stream between steps: a row of a batch state, or none at rest."""

    def __init__(self):
        self._batch: BatchState | None = None
        self.row = 0

    def reset(self) -> None:
        """Return to rest."""
        self._batch, self.row = None, 0

    def tensors(self) -> State | None:
        """Return views of the potentials of this stream, ``[1, C, H, W]``; None at rest."""
        if self._batch is None:
            return None
        return {name: potential[self.row:self.row + 1]
                for name, potential in self._batch.tensors.items()}


class BatchState:
    """State after a step of several streams, one row each."""

    def __init__(self, tensors: State, streams: Sequence[StreamState]):
        """
        Store the state of streams.

        :param tensors: potentials ``[B, C, H, W]`` by neuron name.
        :param streams: the B streams, in the order of the rows.
        """
        self.tensors = tensors
        # Weak: a stream that was deleted or reset needs no row.
        self._streams = [weakref.ref(stream) for stream in streams]
        for row, stream in enumerate(streams):
            stream._batch, stream.row = self, row

    def __len__(self) -> int:
        return len(self._streams)

    def detach(self) -> None:
        """Copy the rows of streams whose state is still here, each to a batch state of its own."""
        for reference in self._streams:
            stream = reference()
            if stream is not None and stream._batch is self:
                BatchState({name: row.clone() for name, row in stream.tensors().items()}, [stream])


def gather(streams: Sequence[StreamState]) -> State | None:
    """
    Return the state of several streams as one batch.

    The tensors are not copied if these streams took the last step together, in this order.

    :param streams: streams, in the order of the rows.
    :returns: potentials ``[B, C, H, W]`` by neuron name, zeros in the rows of streams at rest;
        None: all are at rest.
    """
    batches = {stream._batch for stream in streams}
    occupied = [batch for batch in batches if batch is not None]
    if not occupied:
        return None
    first = occupied[0]
    if len(batches) == 1 and [stream.row for stream in streams] == list(range(len(first))):
        return first.tensors
    states = [stream.tensors() for stream in streams]
    return {name: torch.cat([torch.zeros_like(potential[:1]) if state is None else state[name]
                             for state in states])
            for name, potential in first.tensors.items()}


def scatter(streams: Sequence[StreamState], tensors: State) -> None:
    """
    Store the state after a step in its streams.

    :param streams: streams that took the step, in the order of the rows.
    :param tensors: potentials ``[B, C, H, W]`` by neuron name.
    """
    before = {stream._batch for stream in streams} - {None}
    BatchState(tensors, streams)
    for batch in before:
        batch.detach()
