# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Images per second of training on a CPU, with torch's layers and optimiser and with the fused ones.

A step is that of `mfs-seg train` with config/train/street_fast.yaml: 8 images of 240x180 from a
kept state, firing rates, the loss at three scales, gradients, AdamW. Both networks take turns, so
that other work on the machine meets both.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from mfs_seg_core.engine.library import EngineUnavailableError
from mfs_seg_core.engine.training import training_kernels
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.config import named_config
from mfs_seg_core.train.fused_layers import fuse
from mfs_seg_core.train.loss import scale_loss
from mfs_seg_core.util.files import write_json
from mfs_seg_core.weights.file import build

BATCH = 8
SIZE = 240, 180
THREADS = 1, 2
# The first steps allocate memory and warm caches.
WARM_UP = 2
SCALE_WEIGHTS = 0.3, 0.3, 1.0
PLAIN, FUSED = 'torch', 'fused'


def training(rounds: int, json_file: Path | None = None) -> None:
    """
    Print images per second by the medians over rounds, for each number of threads.

    :param rounds: number of rounds.
    :param json_file: file to write the figures to; None: none.
    :raises ValueError: there are no fused layers on this machine.
    """
    try:
        kernels = training_kernels()
    except EngineUnavailableError as error:
        raise ValueError(f'there are no fused layers to measure: {error}') from None
    print(f'Training of fast, {BATCH} images of {SIZE[0]}x{SIZE[1]} per step, kernels '
          f'{kernels.name}; medians of {rounds} rounds')
    before = torch.get_num_threads()
    rows = []
    try:
        for count in THREADS:
            torch.set_num_threads(count)
            rate = measure(rounds, SIZE)
            rows.append({'threads': count, 'torch_images_per_s': rate[PLAIN],
                         'fused_images_per_s': rate[FUSED], 'ratio': rate[FUSED] / rate[PLAIN]})
            print(f'{count} thread(s): {PLAIN} {rate[PLAIN]:.1f} images/s   {FUSED} '
                  f'{rate[FUSED]:.1f} images/s   {FUSED} / {PLAIN} {rows[-1]["ratio"]:.2f}')
    finally:
        torch.set_num_threads(before)
    if json_file:
        write_json(json_file, {'kernels': kernels.name, 'rounds': rounds, 'training': rows[-1],
                               'rows': rows})


def measure(rounds: int, size: tuple[int, int]) -> dict[str, float]:
    """
    Measure both networks, interleaved, with the current number of threads.

    :param rounds: number of rounds.
    :param size: width and height of the images.
    :returns: images per second, by name.
    """
    torch.manual_seed(0)
    network = build(named_config('fast', len(CAMVID))).to(memory_format=torch.channels_last)
    fused = copy.deepcopy(network)
    fuse(fused)
    steps = {PLAIN: stepper(network, False, size), FUSED: stepper(fused, True, size)}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(-WARM_UP, rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if turn >= 0:
                times[name].append(time.perf_counter() - start)
    return {name: BATCH / statistics.median(each) for name, each in times.items()}


def stepper(network: nn.Module, fused: bool, size: tuple[int, int]) -> Callable[[], Tensor]:
    """
    Return a function that makes a step of training on random images and labels.

    :param network: network to train.
    :param fused: whether its layers are fused ones, and so loss and optimiser.
    :param size: width and height of the images.
    :returns: function that returns the loss.
    """
    network.train()
    random = torch.Generator().manual_seed(0)
    width, height = size
    images = torch.randn(1, BATCH, height, width, 3, generator=random).permute(0, 1, 4, 2, 3)
    label = torch.randint(0, len(CAMVID), (BATCH, height, width), dtype=torch.uint8,
                          generator=random)
    weights, elapsed = torch.ones(len(CAMVID)), torch.ones(BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), fused=fused or None)
    state = None

    def step() -> Tensor:
        nonlocal state
        prediction = network(images, state, rates=True, elapsed=elapsed)
        state = {name: potential.detach() for name, potential in prediction.state.items()}
        loss = scale_loss(prediction.logits, label, SCALE_WEIGHTS, weights, fused)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        return loss.detach()
    return step
