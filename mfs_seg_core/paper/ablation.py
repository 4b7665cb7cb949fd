# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Train small networks that differ in one thing each, with one budget, and compare them.

``python -m mfs_seg_core.ablation blocks --json docs/results/blocks.json``
``python -m mfs_seg_core.ablation depth --json docs/results/depth.json``

- blocks: EFS-Res, MS-Res, EMS-Res, EFS-Res whose convolution is not separable, EFS-Res with
  convolutions that see membranes where the shape changes, and EFS-Res without shortcuts. mIoU,
  parameters, energy, firing rate, and spiking noise: channels that are silent or saturated, and the
  signal-to-noise ratio of spikes between noisy copies of a frame.
- depth: 1 to 16 blocks a stage of EFS-Res, and of the same without shortcuts. Loss, mIoU, and the
  gradient that reaches the first block.

All see stills of Street for one step from rest; they have the scales and widths of 'fast', kernels
of 3x3, and no recurrence.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mfs_seg_core.analysis.energy import Count, parameters
from mfs_seg_core.analysis.spike_maps import Watch
from mfs_seg_core.data.street.seeds import VALIDATION_SEED
from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.util.charts import pyplot, save
from mfs_seg_core.util.files import write_json
from mfs_seg_core.util.provenance import DataHash, provenance

# Frames and their labels.
Stills = tuple[Tensor, Tensor]
SIZE = (120, 90)
BATCH = 8
LEARNING_RATE = 3e-3
# Frames of one street, this far apart.
PER_STREET, APART_S = 4, 3.0
# Standard deviation of the noise between copies of a frame, of pixels 0..255, and their number.
NOISE, COPIES = 10.0, 8
SILENT, SATURATED = 1e-3, 0.99
DEPTHS = (1, 2, 4, 8, 16)
VARIANTS = {
    'EFS-Res': {},
    'MS-Res': {'block': 'ms_res'},
    'EMS-Res': {'block': 'ems_res'},
    'EFS-Res, not separable': {'block': 'efs_res_dense'},
    'EFS-Res, membranes where the shape changes': {'full_spike': False},
    'EFS-Res without shortcuts': {'block': 'plain'},
}


def stills(first_seed: int, count: int) -> Stills:
    """Give frames ``[N, 3, H, W]``, normalised, and their labels ``[N, H, W]`` int64."""
    from mfs_seg_core.data.street import Street
    frames = []
    for seed in range(first_seed, first_seed - (-count // PER_STREET)):
        street = Street(seed, *SIZE)
        frames += [street.frame((i + 1) * APART_S) for i in range(PER_STREET)]
    images = torch.stack([torch.tensor(frame.image) for frame in frames[:count]])
    labels = torch.stack([torch.tensor(frame.label) for frame in frames[:count]])
    return ((images.permute(0, 3, 1, 2).float() / 255 - 0.43) / 0.31).contiguous(
        memory_format=torch.channels_last), labels.long()


def network_of(depth: int = 2, **changes) -> MFSSeg:
    """Give an untrained network with so many blocks at each of its two deeper scales."""
    config = named_config('fast', len(CAMVID), kernels=((), (3,) * depth, (3,) * depth),
                          recall=False, learn_leak=False, **changes)
    torch.manual_seed(0)
    return MFSSeg(config).to(memory_format=torch.channels_last)


def train(network: MFSSeg, images: Tensor, labels: Tensor, steps: int) -> list[float]:
    """Train for ``steps`` batches, the same for every network; give the loss of each."""
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE)
    random = np.random.default_rng(0)
    losses = []
    for step in range(steps):
        chosen = torch.from_numpy(random.choice(len(images), BATCH, replace=False))
        flip = random.random() < 0.5
        x, truth = images[chosen], labels[chosen]
        if flip:
            x, truth = x.flip(-1), truth.flip(-1)
        for group in optimiser.param_groups:
            warm = min(1.0, (step + 1) / (0.1 * steps))
            group['lr'] = LEARNING_RATE * warm * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        loss = loss_of(network.train(), x, truth)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
    return losses


def loss_of(network: MFSSeg, images: Tensor, labels: Tensor) -> Tensor:
    """Give the cross entropy at full scale."""
    return functional.cross_entropy(network(images[None]).logits[-1][0], labels)


def gradients(network: MFSSeg, images: Tensor, labels: Tensor) -> list[float]:
    """Give the norm of the gradient of each block of the deepest scale, first one first."""
    network.zero_grad()
    loss_of(network.train(), images[:BATCH], labels[:BATCH]).backward()
    norms = [math.sqrt(sum(float(p.grad.square().sum()) for p in block.parameters()))
             for block in network.encoder[2]]
    network.zero_grad()
    return norms


@torch.no_grad()
def judge(network: MFSSeg, images: Tensor, labels: Tensor) -> dict:
    """Measure mIoU, operations, energy and firing rate on frames."""
    matrix = ConfusionMatrix(len(CAMVID))
    with Count(network.eval()) as count:
        for x, truth in zip(images.split(BATCH), labels.split(BATCH)):
            masks = network(x[None]).logits[-1][0].argmax(1)
            matrix.update(masks.byte().numpy(), truth.byte().numpy())
    layers = [layer for layer in count.layers.values() if layer.rate is not None]
    return {'miou': matrix.miou, 'parameters': parameters(network),
            'macs': count.macs / len(images), 'acs': count.acs / len(images),
            'energy_mj': count.energy_mj() / len(images),
            'firing_rate': sum(layer.spikes for layer in layers) / sum(
                layer.inputs for layer in layers)}


@torch.no_grad()
def noise_of(network: MFSSeg, images: Tensor) -> dict:
    """
    Measure spiking noise.

    :returns: ``silent`` and ``saturated``, shares of channels; ``rates``, percentiles 0 to 100 of
        their firing rates;
        ``snr_db``: power of the mean spikes between noisy copies over their variance, in dB.
    """
    network.eval()
    random = torch.Generator().manual_seed(0)
    rates, signal, noise = [], 0.0, 0.0
    for image in images:
        copies = image + torch.randn(COPIES, *image.shape, generator=random) * (NOISE / 255 / 0.31)
        kept: dict[str, Tensor] = {}
        with Watch(network, kept.__setitem__) as watch:
            network(copies[None])
        rates.append(np.concatenate([each.by_channel for each in watch.maps()]))
        for spikes in kept.values():
            signal += float(spikes.mean(0).square().mean())
            noise += float(spikes.var(0).mean())
    mean_rates = np.mean(rates, 0)
    top = SATURATED * network.config.levels
    return {'silent': float((mean_rates < SILENT).mean()),
            'saturated': float((mean_rates > top).mean()),
            'snr_db': 10 * math.log10(max(signal, 1e-12) / max(noise, 1e-12)),
            'rates': np.percentile(mean_rates, np.arange(101)).round(4).tolist()}


def study_blocks(training: Stills, validation: Stills, steps: int) -> dict[str, dict]:
    """Compare the variants."""
    results = {}
    for name, changes in VARIANTS.items():
        network = network_of(**changes)
        losses = train(network, *training, steps)
        results[name] = {'loss': float(np.mean(losses[-20:])), **judge(network, *validation),
                         **noise_of(network, validation[0][:8])}
        print(f'{name:<44} mIoU {results[name]["miou"]:.3f}', flush=True)
    return results


def study_depth(training: Stills, validation: Stills, steps: int, depths: tuple[int, ...]
                ) -> dict[str, dict]:
    """Compare depths, with shortcuts and without."""
    results: dict[str, dict] = {}
    for name, block in (('EFS-Res', 'efs_res'), ('without shortcuts', 'plain')):
        results[name] = {}
        for depth in depths:
            network = network_of(depth, block=block)
            before = gradients(network, *training)
            losses = train(network, *training, steps)
            results[name][str(depth)] = {
                'gradients': before, 'loss': float(np.mean(losses[-20:])),
                **judge(network, *validation)}
            print(f'{name}, {depth} blocks a stage: loss {results[name][str(depth)]["loss"]:.3f}, '
                  f'mIoU {results[name][str(depth)]["miou"]:.3f}', flush=True)
    return results


def draw_blocks(path: Path, results: dict[str, dict]) -> None:
    """Draw firing rates over channels, a line a variant."""
    figure, ax = pyplot().subplots(figsize=(7, 4), layout='constrained')
    for name, result in results.items():
        ax.plot(np.linspace(0, 1, len(result['rates'])), result['rates'],
                label=f'{name}: {result["silent"]:.1%} silent, {result["snr_db"]:.1f} dB')
    ax.set_xlabel('share of channels')
    ax.set_ylabel('firing rate, at most')
    ax.legend(fontsize=7)
    save(figure, path)


def draw_depth(path: Path, results: dict[str, dict]) -> None:
    """Draw loss, mIoU and gradients by depth."""
    figure, axes = pyplot().subplots(1, 3, figsize=(12, 3.6), layout='constrained')
    for name, by_depth in results.items():
        depths = [int(depth) for depth in by_depth]
        axes[0].plot(depths, [row['loss'] for row in by_depth.values()], 'o-', label=name)
        axes[1].plot(depths, [row['miou'] for row in by_depth.values()], 'o-', label=name)
        deepest = list(by_depth.values())[-1]['gradients']
        axes[2].semilogy(range(1, len(deepest) + 1), deepest, 'o-', label=name)
    for ax, label in zip(axes, ('training loss', 'validation mIoU')):
        ax.set_xlabel('blocks a stage')
        ax.set_ylabel(label)
        ax.set_xscale('log', base=2)
    axes[2].set_xlabel(f'block, of {len(deepest)}')
    axes[2].set_ylabel('gradient norm before training')
    axes[0].legend(fontsize=8)
    save(figure, path)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog='python -m mfs_seg_core.ablation', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('study', choices=('blocks', 'depth'))
    parser.add_argument('--steps', type=int, default=400,
                        help='batches that each is trained with (default: %(default)s)')
    parser.add_argument('--frames', type=int, default=400,
                        help='of training; a quarter as many judge (default: %(default)s)')
    parser.add_argument('--depths', type=int, nargs='+', default=DEPTHS,
                        help='blocks a stage (default: %(default)s)')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    parser.add_argument('--picture', type=Path, help='file to draw them to')
    options = parser.parse_args(arguments)
    try:
        if options.steps < 1 or options.frames < 4 * BATCH or min(options.depths) < 1:
            raise ValueError(f'--steps and --depths take 1 or more, --frames {4 * BATCH} or more')
        if options.picture:
            pyplot()
        training = stills(0, options.frames)
        validation = stills(VALIDATION_SEED, options.frames // 4)
        if options.study == 'blocks':
            results = study_blocks(training, validation, options.steps)
        else:
            results = study_depth(training, validation, options.steps, tuple(options.depths))
    except ValueError as error:
        print(f'ablation: {error}', file=sys.stderr)
        return 1
    if options.json:
        seen = DataHash()
        for each in (*training, *validation):
            seen.add(each.numpy())
        write_json(options.json, {
            **provenance('mfs_seg_core.ablation', arguments, seen), 'study': options.study,
            'steps': options.steps, 'frames': options.frames, 'size': SIZE, 'results': results})
    if options.picture:
        {'blocks': draw_blocks, 'depth': draw_depth}[options.study](options.picture, results)
    return 0


if __name__ == '__main__':
    sys.exit(main())
