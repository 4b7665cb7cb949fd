# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What each spiking layer fires for an image: where, how much, and whether at edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mfs_seg_core.analysis.energy import COUNTED

# A spike this near to a border between classes, in pixels of the mask, is at an edge.
EDGE_PIXELS = 2


@dataclass
class SpikeMap:
    """
    The spikes that go into a layer, over one or more steps.

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
        Give the share of its spikes that lie at edges, and the share of all pixels that do.

        :param edges: bool ``[H, W]``; see :func:`edges_of`.
        """
        near = functional.interpolate(torch.from_numpy(edges)[None, None].float(),
                                      self.spikes.shape, mode='area')[0, 0].numpy()
        total = self.spikes.sum()
        return float((self.spikes * near).sum() / total) if total else 0.0, float(near.mean())


class Watch:
    """
    Keeps the spikes that go into each spiking layer while it is open::

        with Watch(network) as watch:
            network(images)
        watch.maps()
    """

    def __init__(self, network: nn.Module, see: Callable[[str, Tensor], object] | None = None):
        """:param see: is given each layer's name and its spikes ``[N, C, h, w]`` as they come."""
        self._see = see
        self._layers = {name: module for name, module in network.named_modules()
                        if isinstance(module, COUNTED)}
        self._sums: dict[str, tuple[Tensor, int]] = {}
        self._hooks: list = []

    def __enter__(self) -> Watch:
        for name, module in self._layers.items():
            def hook(module, inputs, name=name):
                self._add(name, inputs[0].detach())
            self._hooks.append(module.register_forward_pre_hook(hook))
        return self

    def __exit__(self, *_) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def _add(self, name: str, x: Tensor) -> None:
        if ((x == x.round()) & (x >= 0)).all():
            total, steps = self._sums.get(name, (0, 0))
            self._sums[name] = total + x.sum(0).double(), steps + len(x)
            if self._see:
                self._see(name, x)

    def maps(self) -> list[SpikeMap]:
        """Give the maps of all layers that saw spikes, in the order of the network."""
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
