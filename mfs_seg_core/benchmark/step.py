# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
One step of our network, by both backends, against one image of U-Net and of Fast-SCNN.

Ours takes a uint8 image of the network's size and returns a mask, with the state kept from step to
step. The peers take a normalised float32 image and return class scores. All take turns in each
round, so that other work on the machine meets all of them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mfs_seg_core.benchmark.fast_scnn import FastSCNN
from mfs_seg_core.data.street import Street
from mfs_seg_core.engine.library import EngineUnavailableError, library
from mfs_seg_core.model.unet import UNet
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.streaming.segmenter import Segmenter, set_threads
from mfs_seg_core.util.files import write_json

WEIGHTS = 'street'
SIZES = ((240, 180), (480, 360))
THREADS = (1, 2)
# A drive, and the time between its frames.
SEED, FRAMES, PERIOD_S = 0, 20, 0.05
WARM_UP = 2
# U-Net takes hundreds of milliseconds: it runs in every so many rounds.
SELDOM = 5
NATIVE, TORCH, UNET, FAST_SCNN = 'ours, native', 'ours, torch', 'U-Net', 'Fast-SCNN'

Step = Callable[[], object]


def step(rounds: int, json_file: Path | None = None) -> None:
    """
    Print medians over rounds, for each size and number of threads.

    :param rounds: number of rounds.
    :param json_file: file to write the figures to; None: none.
    """
    try:
        kernels = library().choose()
        print(f'Kernels of the native engine: {kernels}, of {", ".join(library().kernels)}')
    except EngineUnavailableError as error:
        kernels = None
        print(f'There is no native engine: {error}')
    if not _has_openvino():
        print('OpenVINO is not installed, so the peers run in torch only: pip install openvino')
    before = torch.get_num_threads()
    rows = []
    try:
        for size in SIZES:
            for count in THREADS:
                times = measure(size, count, rounds, kernels is not None)
                rows.append({'size': size, 'threads': count, 'ms': times})
                _show(rows[-1])
    finally:
        set_threads(before)
    figures = _ratios(next((row['ms'] for row in rows
                            if row['size'] == SIZES[0] and row['threads'] == 2), rows[0]['ms']))
    print('   '.join(f'{name} {value:.2f}' for name, value in figures.items()
                     if value is not None))
    if json_file:
        write_json(json_file, {'kernels': kernels, 'rounds': rounds, 'step': figures, 'rows': rows})


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
    for turn in range(-WARM_UP, rounds):
        for name, run in steps.items():
            if name.startswith(UNET) and turn > 0 and turn % SELDOM:
                continue
            start = time.perf_counter()
            run()
            if turn >= 0:
                times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def _ours(size: tuple[int, int], backends: tuple[str, ...]) -> dict[str, Step]:
    street = Street(SEED, *size)
    frames = [street.frame(index * PERIOD_S).image for index in range(FRAMES)]

    def stepper(backend: str) -> Step:
        segmenter = Segmenter.from_weights(WEIGHTS, input_size=size, backend=backend)
        count = iter(range(1 << 60))
        return lambda: segmenter.step(frames[next(count) % FRAMES], PERIOD_S)

    return {f'ours, {backend}': stepper(backend) for backend in backends}


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
    compiled = openvino.Core().compile_model(model, 'CPU', {
        'INFERENCE_NUM_THREADS': threads, 'PERFORMANCE_HINT': 'LATENCY',
        'INFERENCE_PRECISION_HINT': 'f32'})
    request = compiled.create_infer_request()
    pixels = np.ascontiguousarray(image.numpy())
    return lambda: request.infer([pixels])


def _show(row: dict) -> None:
    (width, height), count = row['size'], row['threads']
    print(f'{width}x{height}, {count} thread(s): ' + '   '.join(
        f'{name} {value:.1f} ms' for name, value in row['ms'].items()))


def _ratios(ms: dict[str, float]) -> dict[str, float | None]:
    """Return times, and those of the best backend of each peer divided by ours."""
    def best(name: str) -> float:
        return min(value for key, value in ms.items() if key.startswith(name))

    native = ms.get(NATIVE)
    return {'native_ms': native, 'torch_ms': ms[TORCH], **{
        f'ratio_{key}': native and best(name) / native for key, name in (
            ('torch', TORCH), ('unet', UNET), ('fastscnn', FAST_SCNN))}}
