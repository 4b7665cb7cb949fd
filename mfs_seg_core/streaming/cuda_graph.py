# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Steps of a network as CUDA graphs: the CPU starts one graph in place of hundreds of kernels.

A graph repeats the kernels that were captured, on the memory that they had then. Inputs and state
are therefore copied into buffers of the graph, and the new state out of them, so that streams may
share a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from mfs_seg_core.model.state import State
from mfs_seg_core.model.stateful import Prediction

# Graphs keep their memory; beyond so many, steps run without.
MAX_GRAPHS = 16
# Libraries choose algorithms and allocate memory in the first runs, which cannot be captured.
WARM_UP = 3

Run = Callable[[], Prediction]
# Its result, and a function that repeats it in the same memory.
Captured = tuple[Prediction, Callable[[], None]]


def capture_graph(run: Run, device: torch.device) -> Captured:
    """
    Capture a run as a CUDA graph.

    :param run: starts kernels, without waiting for them.
    :param device: device of the kernels.
    :returns: the result, and a function that starts the kernels again, on the same memory.
    """
    with torch.cuda.device(device):
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                run()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        # Other threads may use the GPU meanwhile, to convert images.
        with torch.cuda.graph(graph, capture_error_mode='thread_local'):
            result = run()
    return result, graph.replay


class GraphedNetwork:
    """A network whose steps are captured, a graph for each kind of inputs; for inference."""

    def __init__(self, network: nn.Module,
                 capture: Callable[[Run, torch.device], Captured] = capture_graph):
        """
        Wrap a network.

        :param network: network on its device, in evaluation mode.
        :param capture: captures a run.
        """
        self._network, self._capture = network, capture
        self._modules = list(network.modules())
        self._graphs: dict[tuple, _Graph] = {}

    @torch.inference_mode()
    def __call__(self, images: Tensor | None, events: Tensor | None, elapsed: float | Tensor,
                 present: Tensor | None = None, state: State | None = None, rates: bool = False
                 ) -> Prediction:
        """
        Advance as the network does.

        The first step with inputs of a kind captures a graph, which takes as long as some steps.

        :param images: images, as the network takes them; so are the other parameters. None: there
            are events.
        :param events: event tensors.
        :param elapsed: time since the last step.
        :param present: present sensors.
        :param state: state before; None: rest.
        :param rates: measure firing rates.
        :returns: the result; class scores and rates are valid until the next call.
        :raises ValueError: as the network does.
        """
        inputs = {name: x for name, x in (('images', images), ('events', events),
                                          ('present', present)) if x is not None}
        first = next(iter(inputs.values()))
        if not isinstance(elapsed, Tensor):
            # A number would be part of the graph.
            elapsed = torch.full(first.shape[1:2], elapsed, device=first.device)
        graph = self._graph(inputs | {'elapsed': elapsed}, rates)
        # The network itself tells what is wrong with a state.
        if graph is None or state is not None and not graph.takes(state):
            return self._network(images, state, rates, elapsed, events, present)
        return graph.step(inputs | {'elapsed': elapsed}, state)

    def __len__(self) -> int:
        """Return the number of graphs."""
        return len(self._graphs)

    def _graph(self, inputs: dict[str, Tensor], rates: bool) -> _Graph | None:
        """Return the graph for such inputs; None: run without."""
        # A replay calls no hooks, which count operations or record layers.
        if any(module._forward_hooks or module._forward_pre_hooks for module in self._modules):
            return None
        kind = rates, *((name, x.shape) for name, x in inputs.items())
        if kind not in self._graphs:
            if len(self._graphs) == MAX_GRAPHS:
                return None
            self._graphs[kind] = _Graph(self._network, inputs, rates, self._capture)
        return self._graphs[kind]


class _Graph:
    """A captured step, with the buffers of its inputs and of the state before it."""

    def __init__(self, network: nn.Module, inputs: Mapping[str, Tensor], rates: bool,
                 capture: Callable[[Run, torch.device], Captured]):
        self._inputs = {name: x.clone() for name, x in inputs.items()}
        arguments = {'images': None, **self._inputs, 'rates': rates}
        self._before = {name: torch.zeros_like(x)
                        for name, x in network(**arguments).state.items()}
        self._result, self._replay = capture(
            lambda: network(**arguments, state=self._before or None), inputs['elapsed'].device)

    def takes(self, state: State) -> bool:
        """Return whether a state has the names and shapes of the graph's."""
        return ({name: x.shape for name, x in state.items()}
                == {name: x.shape for name, x in self._before.items()})

    def step(self, inputs: Mapping[str, Tensor], state: State | None) -> Prediction:
        """Copy inputs and state, replay, and copy the new state."""
        _copy(inputs, self._inputs)
        if state is None:
            for potential in self._before.values():
                potential.zero_()
        else:
            _copy(state, self._before)
        self._replay()
        after = {name: torch.empty_like(x) for name, x in self._result.state.items()}
        _copy(self._result.state, after)
        return self._result._replace(state=after)


def _copy(source: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> None:
    if target:
        torch._foreach_copy_(list(target.values()), [source[name] for name in target])
