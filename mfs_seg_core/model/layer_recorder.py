# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs of a network's layers, recorded by forward hooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from torch import Tensor, nn

# Layers that multiply real numbers, or add spikes.
CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)

# Called with the name of a module, the module, its first input and its output.
Record = Callable[[str, nn.Module, Tensor, Tensor], None]
Recorder = TypeVar('Recorder', bound='LayerRecorder')


class LayerRecorder:
    """
    Calls ``record`` after each call of the modules, while it is open as a context.

    :param modules: modules by name.
    :param record: called with name, module, first input and output.
    """

    def __init__(self, modules: Mapping[str, nn.Module], record: Record):
        self._modules = dict(modules)
        self._record = record
        self._handles: list = []

    def __enter__(self: Recorder) -> Recorder:
        for name, module in self._modules.items():
            def hook(module, inputs, output, name=name):
                self._record(name, module, inputs[0], output)
            self._handles.append(module.register_forward_hook(hook))
        return self

    def __exit__(self, *_) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()


def convolutions(network: nn.Module) -> dict[str, nn.Module]:
    """Return the convolutions and linear layers of a network by name."""
    return {name: module for name, module in network.named_modules()
            if isinstance(module, CONVOLUTIONS)}


def are_spikes(x: Tensor) -> bool:
    """Return whether all elements are whole numbers; those of signed neurons may be negative."""
    return bool((x == x.round()).all())
