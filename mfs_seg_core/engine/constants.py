# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Constants of a program in one block of memory, packed for the kernels that read them."""

from __future__ import annotations

import numpy as np

from mfs_seg_core.engine.memory import Blob
from mfs_seg_core.engine.program import Operation, Program
from mfs_seg_core.engine.weights import pack_depthwise

# Scale, bias and decays of narrow currents are repeated to this length, for longer runs.
RUN = 64


class Constants:
    """Weights, scales, biases and leaks of a program; the same for all image sizes."""

    def __init__(self, program: Program, taps: int):
        """
        Lay out the constants of a program.

        :param program: the program.
        :param taps: rows of a depthwise kernel that its weights are packed for.
        """
        blob = Blob()
        self.weights, self.scales, self.biases = [], [], []
        for operation in program.operations:
            repeat = repeats(operation)
            weights = operation.weights
            if operation.source == 'depthwise':
                weights = pack_depthwise(weights, taps)
            for places, values, times in (
                    (self.weights, weights, 1), (self.scales, operation.scale, repeat),
                    (self.biases, operation.bias, repeat)):
                if values is not None and times > 1:
                    values = np.tile(values[:operation.channels], times)
                places.append(0 if values is None else blob.add(values))
        self.memory = blob.memory()
        # In the order of the neurons of all operations.
        self.leak_places, leaks, size = [], [], 0
        for operation in program.operations:
            for neurons in operation.neurons:
                self.leak_places.append(size)
                leaks.append(np.tile(neurons.leaks, repeats(operation)))
                size += len(leaks[-1])
        self.leaks = np.concatenate(leaks)


def repeats(operation: Operation) -> int:
    """Return how often the values of the channels are repeated."""
    return max(1, RUN // operation.channels)
