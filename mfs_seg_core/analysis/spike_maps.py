# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Spikes of each layer for an image: where they lie, how many, and whether at edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mfs_seg_core.model.layer_recorder import LayerRecorder, are_spikes, convolutions

# A spike this near to a border between classes, in pixels of the mask, is at an edge.
EDGE_PIXELS = 2


@dataclass
class SpikeMap:
    """
    The spikes that go into a layer, over one or more steps.

    Those of either sign are counted by their magnitude, as their energy is.

    :param name: name of the layer.
    :param spikes: float32 ``[h, w]``, mean over channels and steps.
    :param by_channel: float64 ``[C]``, mean over pixels and steps.
    """

    name: str
    spikes: np.ndarray
    by_channel: np.ndarray

    @property
    def rate(self) -> float:
        """Mean spikes of a neuron in a step."""
        return float(self.by_channel.mean())

    def at_edges(self, edges: np.ndarray) -> tuple[float, float]:
        """
        Measure how many spikes lie at edges.

        :param edges: bool ``[H, W]``; see :func:`edges_of`.
        :returns: share of the spikes at edges, and share of all pixels at edges.
        """
        near = functional.interpolate(torch.from_numpy(edges)[None, None].float(),
                                      self.spikes.shape, mode='area')[0, 0].numpy()
        total = self.spikes.sum()
        return float((self.spikes * near).sum() / total) if total else 0.0, float(near.mean())


class SpikeRecorder(LayerRecorder):
    """
    Records the spikes that go into each layer while it is open as a context.

    Spikes of several passes are averaged::

        with SpikeRecorder(network) as recorder:
            network(images)
        recorder.maps()

    :param network: the network to run.
    :param on_spikes: called with a layer's name and its spikes ``[N, C, h, w]`` in each pass.
    """

    def __init__(self, network: nn.Module,
                 on_spikes: Callable[[str, Tensor], object] | None = None):
        super().__init__(convolutions(network), self._add)
        self._on_spikes = on_spikes
        # Sum of the magnitudes [C, h, w] and number of steps, by layer.
        self._sums: dict[str, tuple[Tensor, int]] = {}

    def _add(self, name: str, module: nn.Module, x: Tensor, y: Tensor) -> None:
        x = x.detach()
        if are_spikes(x):
            total, steps = self._sums.get(name, (0, 0))
            self._sums[name] = total + x.abs().sum(0).double(), steps + len(x)
            if self._on_spikes:
                self._on_spikes(name, x)

    def maps(self) -> list[SpikeMap]:
        """Return the maps of all layers with spikes as input, in the order of their calls."""
        return [SpikeMap(name.removesuffix('.conv'), (total.mean(0) / steps).float().cpu().numpy(),
                         (total.mean((1, 2)) / steps).cpu().numpy())
                for name, (total, steps) in self._sums.items()]


def edges_of(mask: np.ndarray) -> np.ndarray:
    """
    Find the pixels near a border between classes.

    :param mask: uint8 ``[H, W]`` of class ids.
    :returns: bool ``[H, W]``: at most :data:`EDGE_PIXELS` away from a pixel of another class.
    """
    border = np.zeros(mask.shape, bool)
    across, down = mask[:, 1:] != mask[:, :-1], mask[1:] != mask[:-1]
    border[:, 1:] |= across
    border[:, :-1] |= across
    border[1:] |= down
    border[:-1] |= down
    reach = 2 * (EDGE_PIXELS - 1) + 1
    wide = functional.max_pool2d(torch.from_numpy(border)[None, None].float(), reach, 1, reach // 2)
    return wide[0, 0].numpy() > 0
