# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
One step of our network, by both backends, against one image of U-Net and of Fast-SCNN.

Ours takes a uint8 image of the network's size and returns a mask, with the state kept from step to
step. The peers take a normalised float32 image and return class scores in float32; they have no
state, need no normalisation and no argmax, and share the memory of inputs and outputs with the
caller. All have the same number of threads.

All take turns in each round, so that other work on the machine meets all of them, in an order that
changes from round to round. A pause comes before each: threads of the one before have stopped
spinning, and others have used the caches, as on a robot that does other work between frames. A step
that follows its like at once takes less.
"""

from __future__ import annotations

import os
import platform
import random
import re
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mfs_seg_core.benchmark.fast_scnn import FastSCNN
from mfs_seg_core.benchmark.step_parts import KINDS, draw, parts
from mfs_seg_core.data.street import Street
from mfs_seg_core.engine.library import EngineUnavailableError, library
from mfs_seg_core.model.unet import UNet
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.streaming.segmenter import Segmenter, set_threads
from mfs_seg_core.util.charts import pyplot
from mfs_seg_core.util.files import write_json
from mfs_seg_core.util.openvino_runtime import disable_reports, openvino_core
from mfs_seg_core.util.table import cell, markdown_table

WEIGHTS = 'street'
SIZES = ((240, 180), (480, 360))
THREADS = (1, 2)
# A drive, and the time between its frames.
SEED, FRAMES, PERIOD_S = 0, 20, 0.05
WARM_UP = 2
# Threads of OpenMP spin for some milliseconds after their work, on cores that the next needs.
PAUSE_S = 0.005
# U-Net takes hundreds of milliseconds: it runs in every so many rounds.
SELDOM = 5
NATIVE, TORCH, UNET, FAST_SCNN = 'ours, native', 'ours, torch', 'U-Net', 'Fast-SCNN'

_CPUINFO = Path('/proc/cpuinfo')

Step = Callable[[], object]


def step(rounds: int, json_file: Path | None = None, picture: Path | None = None) -> None:
    """
    Print medians over rounds for each size and number of threads, and the parts of a step.

    :param rounds: number of rounds.
    :param json_file: file to write the figures to; None: none.
    :param picture: file to draw the parts of a step to; None: none.
    :raises ValueError: a picture is requested, and matplotlib is not installed.
    """
    if picture:
        pyplot()
    machine = _machine()
    kernels = machine['kernels']
    before = torch.get_num_threads()
    rows = []
    try:
        for size in SIZES:
            for count in THREADS:
                rows.append({'size': size, 'threads': count,
                             'ms': measure(size, count, rounds, bool(kernels))})
        set_threads(THREADS[0])
        measured = parts(WEIGHTS, _frames(SIZES[0]), PERIOD_S, rounds, bool(kernels))
    finally:
        set_threads(before)
    names = [_condition(row['size'], row['threads']) for row in rows]
    print(markdown_table(['median of a step, ms', *names], [
        [name, *(f'{row["ms"][name]:.1f}' for row in rows)] for name in rows[0]['ms']]))
    figures = _ratios(next((row['ms'] for row in rows
                            if row['size'] == SIZES[0] and row['threads'] == 2), rows[0]['ms']))
    print(f'{names[0] if len(rows) == 1 else _condition(SIZES[0], 2)}: ' + '   '.join(
        f'{name} {value:.2f}' for name, value in figures.items() if value is not None))
    title = f'Parts of a step, ms, {_condition(SIZES[0], THREADS[0])}'
    print(markdown_table([title, *measured], [
        [kind, *(cell(each.get(kind), '.2f') for each in measured.values())] for kind in KINDS]))
    if json_file:
        write_json(json_file, {'machine': machine, 'rounds': rounds, 'step': figures,
                               'rows': rows, 'parts': measured})
    if picture:
        draw(picture, f'{title}, {kernels[0]}' if kernels else title, measured)


def _machine() -> dict[str, object]:
    """Describe processor, instruction sets and libraries, and print that."""
    found = re.search('model name.*: (.*)', _CPUINFO.read_text()) if _CPUINFO.exists() else None
    machine: dict[str, object] = {
        'processor': found[1] if found else platform.machine(),
        'cores': len(os.sched_getaffinity(0)), 'kernels': [],
        'torch': f'{torch.__version__}, {torch.backends.cpu.get_cpu_capability()}',
        'openvino': version('openvino') if _has_openvino() else None}
    print(f'{machine["processor"]}, {machine["cores"]} core(s); torch {machine["torch"]}')
    try:
        best = library().choose()
        machine['kernels'] = [best, *(name for name in library().kernels if name != best)]
        print(f'Kernels of the native engine: {best}, of {", ".join(library().kernels)}')
    except EngineUnavailableError as error:
        print(f'There is no native engine: {error}')
    print(f'OpenVINO {machine["openvino"]}' if machine['openvino'] else
          'OpenVINO is not installed, so the peers run in torch only: pip install openvino')
    return machine


def _condition(size: tuple[int, int], threads: int) -> str:
    return f'{size[0]}x{size[1]}, {threads} thread{"s" * (threads > 1)}'


@torch.inference_mode()
def measure(size: tuple[int, int], threads: int, rounds: int, native: bool = True
            ) -> dict[str, float]:
    """
    Measure all networks, interleaved.

    :param size: width and height of the image.
    :param threads: number of threads.
    :param rounds: number of rounds.
    :param native: whether there is a native engine.
    :returns: median time in ms, by name.
    """
    set_threads(threads)
    steps = _ours(size, ('native', 'torch') if native else ('torch',))
    classes = 11
    for name, network in ((UNET, UNet(UNetConfig(classes))), (FAST_SCNN, FastSCNN(classes))):
        steps |= _peer(name, network.eval(), size, threads)
    times: dict[str, list[float]] = {name: [] for name in steps}
    names = list(steps)
    order = random.Random(SEED)
    for turn in range(-WARM_UP, rounds):
        order.shuffle(names)
        for name in names:
            if name.startswith(UNET) and turn > 0 and turn % SELDOM:
                continue
            time.sleep(PAUSE_S)
            start = time.perf_counter()
            steps[name]()
            if turn >= 0:
                times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def _ours(size: tuple[int, int], backends: tuple[str, ...]) -> dict[str, Step]:
    frames = _frames(size)

    def stepper(backend: str) -> Step:
        segmenter = Segmenter.from_weights(WEIGHTS, input_size=size, backend=backend)
        count = iter(range(1 << 60))
        return lambda: segmenter.step(frames[next(count) % FRAMES], PERIOD_S)

    return {f'ours, {backend}': stepper(backend) for backend in backends}


def _frames(size: tuple[int, int]) -> list[np.ndarray]:
    street = Street(SEED, *size)
    return [street.frame(index * PERIOD_S).image for index in range(FRAMES)]


def _peer(name: str, network: nn.Module, size: tuple[int, int], threads: int) -> dict[str, Step]:
    """Return a peer in torch and, where that is installed, in OpenVINO."""
    batched = isinstance(network, UNet)
    network = _folded(network).to(memory_format=torch.channels_last)
    image = torch.randn(1, 3, *size[::-1]).to(memory_format=torch.channels_last)
    # The interface of our networks has a dimension of time steps.
    forward = (lambda: network(image[None])) if batched else (lambda: network(image))
    steps: dict[str, Step] = {f'{name}, torch': forward}
    if _has_openvino():
        steps[f'{name}, OpenVINO'] = _in_openvino(_Scores(network, batched), image, threads)
    return steps


class _Scores(nn.Module):
    """A peer as a function from an image to class scores."""

    def __init__(self, network: nn.Module, batched: bool):
        super().__init__()
        self.network, self.batched = network, batched

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.network(image[None]).logits[-1][0] if self.batched else self.network(image)


def _folded(network: nn.Module) -> nn.Module:
    """Fold each norm that follows a convolution in a sequence, as is usual for inference."""
    for sequence in [m for m in network.modules() if isinstance(m, nn.Sequential)]:
        for index in range(len(sequence) - 1):
            pair = sequence[index], sequence[index + 1]
            if isinstance(pair[0], nn.Conv2d) and isinstance(pair[1], nn.BatchNorm2d):
                sequence[index] = fuse_conv_bn_eval(*pair)
                sequence[index + 1] = nn.Identity()
    return network


def _has_openvino() -> bool:
    disable_reports()
    try:
        import openvino  # noqa: F401
    except ImportError:
        return False
    return True


def _in_openvino(network: nn.Module, image: torch.Tensor, threads: int) -> Step:
    import openvino
    with torch.inference_mode(False), torch.no_grad():
        image = image.clone()
        model = openvino.convert_model(network, example_input=image, input=[tuple(image.shape)])
    compiled = openvino_core().compile_model(model, 'CPU', {
        'INFERENCE_NUM_THREADS': threads, 'PERFORMANCE_HINT': 'LATENCY',
        'INFERENCE_PRECISION_HINT': 'f32'})
    request = compiled.create_infer_request()
    pixels = np.ascontiguousarray(image.numpy())
    return lambda: request.infer([pixels], share_inputs=True, share_outputs=True)


def _ratios(ms: dict[str, float]) -> dict[str, float | None]:
    """Return times, and those of the best backend of each peer divided by ours."""
    def best(name: str) -> float:
        return min(value for key, value in ms.items() if key.startswith(name))

    native = ms.get(NATIVE)
    return {'native_ms': native, 'torch_ms': ms[TORCH], **{
        f'ratio_{key}': native and best(name) / native for key, name in (
            ('torch', TORCH), ('unet', UNET), ('fastscnn', FAST_SCNN))}}
