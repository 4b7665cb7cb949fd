# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The interface that all backends have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
from torch import Tensor

from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.model.state import State
from mfs_seg_core.streaming.inputs import Prepared, StepResult


class BackendState(Protocol):
    """State of one stream."""

    def reset(self) -> None:
        """Reset the potentials to rest."""


S = TypeVar('S', bound=BackendState)


class Backend(Protocol, Generic[S]):
    """
    Steps of one network, which several streams share.

    :ivar name: 'torch' or 'native'.
    :ivar description: name, with the device or the kernels.
    """

    name: str
    description: str

    def state(self) -> S:
        """Return the state of a stream at rest."""

    def read(self, state: S) -> State | None:
        """Return the potentials of a stream, ``[1, C, H, W]`` by neuron name; None at rest."""

    def load(self, state: S, tensors: State, size: tuple[int, int]) -> None:
        """
        Set the state of a stream.

        :param state: the state.
        :param tensors: potentials ``[1, C, h, w]`` by neuron name, which are copied.
        :param size: height and width of the network's input.
        :raises ValueError: they are of another network or size.
        """

    def image(self, frame: np.ndarray, size: tuple[int, int]) -> Tensor | np.ndarray:
        """
        Convert a frame to an input of the network.

        :param frame: uint8 ``[H, W, 3]``, which may be read-only.
        :param size: width and height of the network's input.
        :returns: the input, which does not share memory with the frame.
        """

    def tensor(self, events: EventWindow, size: tuple[int, int]) -> Tensor | np.ndarray:
        """Return the network's input for events; ``size`` is width, height."""

    def step(self, states: Sequence[S], prepared: Sequence[Prepared],
             sizes: Sequence[tuple[int, int]], confidence: bool, firing_rate: bool
             ) -> tuple[list[StepResult], float]:
        """
        Advance streams by one step each.

        :param states: states of the streams.
        :param prepared: their inputs.
        :param sizes: height and width of their masks.
        :param confidence: return the confidences too.
        :param firing_rate: return the firing rates too.
        :returns: results in the order of the streams, and the time in the network in ms.
        """
