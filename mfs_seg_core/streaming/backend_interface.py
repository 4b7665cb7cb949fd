# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The interface that all backends have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np

from mfs_seg_core.events.tensor import EventWindow
from mfs_seg_core.streaming.inputs import Potentials, Prepared, StepRequest, StepResult
from mfs_seg_core.weights.metadata import Metadata

if TYPE_CHECKING:
    from torch import Tensor


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
    :ivar device: device of the network and of its state, as torch writes it: 'cpu', 'cuda:0'.
    :ivar metadata: metadata of the weights.
    """

    name: str
    description: str
    device: str
    metadata: Metadata

    def state(self) -> S:
        """Return the state of a stream at rest."""

    def read(self, state: S) -> Potentials | None:
        """Return copies of the potentials of a stream; None at rest."""

    def load(self, state: S, potentials: Potentials, size: tuple[int, int]) -> None:
        """
        Set the state of a stream.

        :param state: the state.
        :param potentials: potentials, which are copied.
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
             sizes: Sequence[tuple[int, int]], request: StepRequest
             ) -> tuple[list[StepResult], float]:
        """
        Advance streams by one step each.

        :param states: states of the streams.
        :param prepared: their inputs.
        :param sizes: height and width of their masks.
        :param request: results besides the masks.
        :returns: results in the order of the streams, and the time in the network in ms.
        """
