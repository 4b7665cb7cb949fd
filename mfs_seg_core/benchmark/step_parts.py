# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Where the time of a step goes, by kind of operation, in torch and in the native engine.

The engine computes neurons in the operations that make their currents, and the classes in that of
the class scores. In torch, the calls of operations in Python are part of each kind.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from torch import nn

from mfs_seg_core.engine.compiler import compile_weights
from mfs_seg_core.engine.engine import Engine, EngineInput, EngineState
from mfs_seg_core.model.blocks import Stem
from mfs_seg_core.model.state import Neuron
from mfs_seg_core.streaming.segmenter import Segmenter, step_together
from mfs_seg_core.util.charts import pyplot, save

PRODUCTS, DEPTHWISE, NEURONS = '1x1 and dense products', 'depthwise convolutions', 'neurons'
REST, STEM, CLASSES = 'additions, upsampling, copies', 'normalisation, stem', 'argmax'
CALLS = 'call in Python'
KINDS = (PRODUCTS, DEPTHWISE, NEURONS, REST, STEM, CLASSES, CALLS)
# Kinds of the engine's operations.
SOURCES = {'dense': PRODUCTS, 'depthwise': DEPTHWISE, 'zero': REST, 'stem': STEM, 'pixels': STEM,
           'tensor': STEM}

# Milliseconds of a step by kind.
Parts = dict[str, float]


def parts(weights: str, frames: Sequence[np.ndarray], period_s: float, rounds: int,
          native: bool) -> dict[str, Parts]:
    """
    Measure the parts of a step of a stream; the backends take turns.

    :param weights: path or name of weights that take a camera.
    :param frames: uint8 ``[H, W, 3]``, all of one size, which the network runs at.
    :param period_s: time between two frames.
    :param rounds: number of steps to take medians over.
    :param native: whether there is a native engine.
    :returns: median time in ms by kind, by name of the backend.
    """
    segmenter = Segmenter.from_weights(weights, input_size=frames[0].shape[1::-1], backend='torch')
    steps = {'torch': _torch_step(segmenter, period_s)}
    if native:
        steps['native'] = _native_step(segmenter, period_s)
    measured: dict[str, list[Parts]] = {name: [] for name in steps}
    for index in range(rounds + 1):
        for name, step in steps.items():
            measured[name].append(step(frames[index % len(frames)]))
    # The first step starts from rest.
    return {name: {kind: statistics.median(each[kind] for each in each_round[1:])
                   for kind in each_round[0]} for name, each_round in measured.items()}


def _torch_step(segmenter: Segmenter, period_s: float) -> Callable[[np.ndarray], Parts]:
    times: Parts = {}

    def time_module(module: nn.Module, kind: str) -> None:
        start = 0.0

        def before(*_) -> None:
            nonlocal start
            start = time.perf_counter()

        def after(*_) -> None:
            times[kind] += 1e3 * (time.perf_counter() - start)

        module.register_forward_pre_hook(before)
        module.register_forward_hook(after)

    for module in segmenter.network.modules():
        if isinstance(module, (Stem, Neuron)):
            time_module(module, STEM if isinstance(module, Stem) else NEURONS)
        elif (conv := getattr(module, 'conv', None)) is not None:
            time_module(conv, PRODUCTS if conv.groups == 1 else DEPTHWISE)
    time_module(segmenter.network, REST)

    def step(frame: np.ndarray) -> Parts:
        times.update(dict.fromkeys((PRODUCTS, DEPTHWISE, NEURONS, REST, STEM, CLASSES), 0.0))
        start = time.perf_counter()
        prepared = segmenter.prepare(frame, period_s)
        normalised = time.perf_counter()
        step_together([(segmenter, prepared)])
        # The network's own time has been added to that of the rest.
        times[CLASSES] = 1e3 * (time.perf_counter() - normalised) - times[REST]
        times[REST] -= sum(times[kind] for kind in (PRODUCTS, DEPTHWISE, NEURONS, STEM))
        times[STEM] += 1e3 * (normalised - start)
        return dict(times)

    return step


def _native_step(segmenter: Segmenter, period_s: float) -> Callable[[np.ndarray], Parts]:
    metadata = segmenter.metadata
    engine = Engine(compile_weights(segmenter.network, metadata))
    engine.nanoseconds = np.zeros(len(engine.program.operations), np.int64)
    kinds = [SOURCES[operation.source] for operation in engine.program.operations]
    stream, elapsed = EngineState(), period_s / metadata.nominal_step

    def step(frame: np.ndarray) -> Parts:
        start = time.perf_counter()
        engine.step([stream], [EngineInput(frame, None, elapsed)])
        total = 1e3 * (time.perf_counter() - start)
        times = dict.fromkeys((PRODUCTS, DEPTHWISE, REST, STEM), 0.0)
        for kind, nanoseconds in zip(kinds, engine.nanoseconds):
            times[kind] += nanoseconds / 1e6
        return times | {CALLS: total - sum(times.values())}

    return step


def draw(path: Path, title: str, measured: dict[str, Parts]) -> None:
    """
    Draw bars for the kinds of each backend, on one scale.

    :param path: picture to write.
    :param title: title of the chart.
    :param measured: as returned by :func:`parts`.
    :raises ValueError: matplotlib is not installed.
    """
    figure, axes = pyplot().subplots(figsize=(8, 4), layout='constrained')
    height = 0.8 / len(measured)
    for place, (backend, colour) in enumerate(zip(measured, ('tab:gray', 'tab:blue'))):
        times = [measured[backend].get(kind) for kind in KINDS]
        rows = [row + (place - (len(measured) - 1) / 2) * height for row in range(len(KINDS))]
        drawn = axes.barh(rows, [ms or 0 for ms in times], height, color=colour,
                          label=f'{backend}: {sum(measured[backend].values()):.1f} ms')
        axes.bar_label(drawn, ['part of others' if ms is None else f'{ms:.2f}' for ms in times],
                       padding=3, fontsize=8)
    axes.set_yticks(range(len(KINDS)), KINDS)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.set_xlabel('ms')
    axes.set_title(title, fontsize=10)
    axes.legend()
    save(figure, path)
