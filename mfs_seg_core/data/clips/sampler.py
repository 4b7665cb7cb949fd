# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Order of training clips: each slot of a batch runs through sequences, clip by clip."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


class SequenceBatches:
    """
    Batches of clip indices, for a loader's ``batch_sampler``.

    Slot j of each batch takes the clips of a sequence in order, then those of the next sequence,
    so that the state of its stream can be carried from batch to batch. The slots start at different
    positions in their sequences, so that each batch mixes short and long histories. With sequences
    of one clip this is a shuffle. The order depends on seed and epoch alone; sequences that do not
    fill all slots are left out.
    """

    def __init__(self, sequences: int, length: int, batch_size: int, seed: int, epoch: int,
                 rank: int = 0, world_size: int = 1):
        """
        Draw the order of the sequences.

        :param sequences: number of sequences.
        :param length: clips per sequence.
        :param batch_size: slots of one process.
        :param seed: seed of the order.
        :param epoch: number of the epoch, the second half of the seed.
        :param rank: number of this process.
        :param world_size: number of processes, which share one order.
        """
        self.length = length
        slots = batch_size * world_size
        self.rounds = sequences // slots
        order = np.random.default_rng((seed, epoch)).permutation(sequences)
        # [rounds, slots of this process]: the sequences of each slot.
        self.order = order[:self.rounds * slots].reshape(self.rounds, slots)
        self.starts = np.arange(slots) * length // slots
        mine = slice(rank * batch_size, (rank + 1) * batch_size)
        self.order, self.starts = self.order[:, mine], self.starts[mine]

    def __len__(self) -> int:
        return self.rounds * self.length

    def __iter__(self) -> Iterator[list[int]]:
        slots = np.arange(len(self.starts))
        for batch in range(len(self)):
            walked, place = np.divmod(batch + self.starts, self.length)
            sequences = self.order[walked % self.rounds, slots]
            yield (sequences * self.length + place).tolist()
