# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What a network computes for an image, and what that costs in energy.

Counted as it runs: each convolution and linear layer that is called tells the size of its output
and what came into it. An operation is

- a MAC, a multiplication with a sum, where the input is a real number (pixels, an ANN's features);
- an AC, a sum alone, for each unit spike of an input that is spikes: a spike of value k, of a
  neuron with several levels, stands for k of them. So ACs are operations times mean spikes.

Energy is that of 32-bit floats in 45 nm (Horowitz, ISSCC 2014): 4.6 pJ a MAC, 0.9 pJ an AC; the
model of the spiking networks' papers (Hu et al. 2024, MS-ResNet; Su et al. 2024). It leaves out
memory, neurons and, since norms fold into the convolutions before them, norms.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

MAC_PJ = 4.6
AC_PJ = 0.9
COUNTED = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


@dataclass
class Layer:
    """
    What one layer did, over all calls.

    :param operations: multiplications that it would make of real numbers.
    :param spikes: sum of what came in, where all of it was spikes.
    :param inputs: elements that came in.
    :param spiking: whether all that came in was spikes: whole numbers, 0 or more.
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
        return 0.0 if self.spiking else float(self.operations)

    @property
    def acs(self) -> float:
        return self.operations * self.rate if self.spiking and self.inputs else 0.0

    def energy_pj(self, mac_pj: float = MAC_PJ, ac_pj: float = AC_PJ) -> float:
        """Give its energy in pJ."""
        return self.macs * mac_pj + self.acs * ac_pj


class Count:
    """
    Counts what a network's layers do while it is open::

        with Count(network) as count:
            network(images)
        count.layers['stem.conv'].macs
    """

    def __init__(self, network: nn.Module):
        self.layers = {name: Layer(name) for name, module in network.named_modules()
                       if isinstance(module, COUNTED)}
        self._modules = {name: module for name, module in network.named_modules()
                         if name in self.layers}
        self._hooks: list = []

    def __enter__(self) -> Count:
        for name, module in self._modules.items():
            def hook(module, inputs, output, layer=self.layers[name]):
                _add(layer, module, inputs[0], output)
            self._hooks.append(module.register_forward_hook(hook))
        return self

    def __exit__(self, *_) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    @property
    def macs(self) -> float:
        return sum(layer.macs for layer in self.layers.values())

    @property
    def acs(self) -> float:
        return sum(layer.acs for layer in self.layers.values())

    @property
    def operations(self) -> int:
        """Multiplications of an ANN of the same shape."""
        return sum(layer.operations for layer in self.layers.values())

    def energy_mj(self, mac_pj: float = MAC_PJ, ac_pj: float = AC_PJ) -> float:
        """Give the energy of all layers in mJ."""
        return sum(layer.energy_pj(mac_pj, ac_pj) for layer in self.layers.values()) * 1e-9


@torch.no_grad()
def _add(layer: Layer, module: nn.Module, x: Tensor, y: Tensor) -> None:
    weight = module.weight
    if isinstance(module, nn.ConvTranspose2d):
        # Each input element is multiplied with a filter of every output channel of its group.
        operations = x.numel() * weight[0].numel()
    else:
        # Each output element is a sum over one filter.
        operations = y.numel() * weight[0].numel()
    layer.operations += operations
    layer.inputs += x.numel()
    layer.spiking = layer.spiking and bool(((x == x.round()) & (x >= 0)).all())
    layer.spikes += float(x.sum(dtype=torch.float64))


def parameters(network: nn.Module) -> int:
    """Count a network's parameters."""
    return sum(parameter.numel() for parameter in network.parameters())
