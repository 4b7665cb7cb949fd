# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Operations of a network for an image, and their energy.

Operations are counted while the network runs, from the input and output of each convolution and
linear layer. An operation is

- a MAC, a multiplication and an addition, where the input is real numbers (pixels, features of an
  ANN);
- an AC, an addition alone, for each unit spike of an input of spikes. A spike of value k, of a
  neuron with several levels, stands for k unit spikes, so ACs are operations times mean spikes. A
  negative spike of a signed neuron is a subtraction, and counts by its size.

Their energy is that of :mod:`mfs_seg_core.util.energy`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mfs_seg_core.model.layer_recorder import LayerRecorder, are_spikes, convolutions
from mfs_seg_core.util.energy import AC_PJ, MAC_PJ


@dataclass
class LayerOperations:
    """
    Operations of one layer over all its calls.

    :param operations: multiplications of the layer on real numbers.
    :param spikes: sum of the sizes of the inputs, where all inputs were spikes.
    :param inputs: number of input elements.
    :param spiking: whether all inputs were spikes: whole numbers.
    """

    name: str
    operations: int = 0
    spikes: float = 0.0
    inputs: int = 0
    spiking: bool = True

    @property
    def rate(self) -> float | None:
        """Mean spikes of an input; None where inputs are real numbers."""
        return self.spikes / self.inputs if self.spiking and self.inputs else None

    @property
    def macs(self) -> float:
        """Number of MACs; 0 where inputs are spikes."""
        return 0.0 if self.spiking else float(self.operations)

    @property
    def acs(self) -> float:
        """Number of ACs; 0 where inputs are real numbers."""
        return self.operations * self.rate if self.spiking and self.inputs else 0.0

    def energy_pj(self, mac_pj: float = MAC_PJ, ac_pj: float = AC_PJ) -> float:
        """Return the energy of all calls in pJ."""
        return self.macs * mac_pj + self.acs * ac_pj


class OperationCounter(LayerRecorder):
    """
    Counts the operations of a network's layers while it is open as a context.

    When it is opened again, counts add up::

        with OperationCounter(network) as counter:
            network(images)
        counter.layers['stem.conv'].macs

    :param network: the network to run.
    """

    def __init__(self, network: nn.Module):
        modules = convolutions(network)
        super().__init__(modules, self._add)
        self.layers = {name: LayerOperations(name) for name in modules}

    @property
    def macs(self) -> float:
        """MACs of all layers."""
        return sum(layer.macs for layer in self.layers.values())

    @property
    def acs(self) -> float:
        """ACs of all layers."""
        return sum(layer.acs for layer in self.layers.values())

    @property
    def operations(self) -> int:
        """Multiplications of an ANN of the same shape."""
        return sum(layer.operations for layer in self.layers.values())

    def energy_mj(self, mac_pj: float = MAC_PJ, ac_pj: float = AC_PJ) -> float:
        """Return the energy of all layers in mJ."""
        return sum(layer.energy_pj(mac_pj, ac_pj) for layer in self.layers.values()) * 1e-9

    @torch.no_grad()
    def _add(self, name: str, module: nn.Module, x: Tensor, y: Tensor) -> None:
        # A transposed convolution multiplies each input element with a filter of every output
        # channel of its group; elsewhere each output element is a sum over one filter.
        elements = x.numel() if isinstance(module, nn.ConvTranspose2d) else y.numel()
        layer = self.layers[name]
        layer.operations += elements * module.weight[0].numel()
        layer.inputs += x.numel()
        layer.spiking = layer.spiking and are_spikes(x)
        layer.spikes += float(x.abs().sum(dtype=torch.float64))


def parameters(network: nn.Module) -> int:
    """Count a network's parameters."""
    return sum(parameter.numel() for parameter in network.parameters())
