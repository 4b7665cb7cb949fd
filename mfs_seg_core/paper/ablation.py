# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Train small networks that differ in one property each, with the same budget, and compare them.

``mfs-seg ablation blocks --json docs/results/blocks.json``
``mfs-seg ablation depth --json docs/results/depth.json``

- blocks: EFS-Res, MS-Res, EMS-Res, EFS-Res with a dense convolution instead of a depthwise one,
  EFS-Res with convolutions of membrane potentials where the shape changes, and EFS-Res without
  shortcuts. Measured are mIoU, parameters, energy, firing rate and spiking noise: the share of
  channels that are silent or saturated, and the signal-to-noise ratio of spikes between noisy
  copies of a frame.
- depth: EFS-Res with 1 to 16 blocks at each scale, with and without shortcuts. Measured are the
  loss, mIoU and the gradient of each block.

The data are stills of Street, segmented in one step from rest. The networks have the scales and
widths of 'fast', kernels of 3x3 and no recurrence.
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

from mfs_seg_core.analysis.isometry import PIXEL_MEAN, PIXEL_STD
from mfs_seg_core.analysis.spike_maps import SpikeRecorder
from mfs_seg_core.data.street.seeds import VALIDATION_SEED
from mfs_seg_core.evaluate.metrics import ConfusionMatrix
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.model.operations import OperationCounter, parameters
from mfs_seg_core.util.charts import pyplot, save
from mfs_seg_core.util.files import write_json
from mfs_seg_core.util.provenance import DataHash, provenance

# Frames and their labels.
Stills = tuple[Tensor, Tensor]
# Width and height.
SIZE = (120, 90)
BATCH = 8
LEARNING_RATE = 3e-3
# Frames of one street, and seconds between them.
PER_STREET, APART_S = 4, 3.0
# Spiking noise: frames to measure it on, noisy copies of each, and the standard deviation of the
# noise in pixels of 0..255.
NOISY_FRAMES, COPIES, NOISE = 8, 8, 10.0
# A channel is silent below so many mean spikes, and saturated above such a share of the highest
# spike.
SILENT, SATURATED = 1e-3, 0.99
# The reported loss is the mean of so many last steps.
LAST_STEPS = 20
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
    """Render frames ``[N, 3, H, W]``, normalised, and their labels ``[N, H, W]`` int64."""
    from mfs_seg_core.data.street import Street
    frames = []
    for seed in range(first_seed, first_seed - (-count // PER_STREET)):
        street = Street(seed, *SIZE)
        frames += [street.frame((i + 1) * APART_S) for i in range(PER_STREET)]
    images = torch.stack([torch.tensor(frame.image) for frame in frames[:count]])
    labels = torch.stack([torch.tensor(frame.label) for frame in frames[:count]])
    images = (images.permute(0, 3, 1, 2).float() / 255 - PIXEL_MEAN) / PIXEL_STD
    return images.contiguous(memory_format=torch.channels_last), labels.long()


def network_of(depth: int = 2, **changes) -> MFSSeg:
    """Return an untrained network with ``depth`` blocks at each of its two deeper scales."""
    config = named_config('fast', len(CAMVID), kernels=((), (3,) * depth, (3,) * depth),
                          recall=False, learn_leak=False, **changes)
    torch.manual_seed(0)
    return MFSSeg(config).to(memory_format=torch.channels_last)


def train(network: MFSSeg, images: Tensor, labels: Tensor, steps: int) -> list[float]:
    """Train on the same ``steps`` batches for every network; return the loss of each."""
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
    """Return the cross entropy at full scale."""
    return functional.cross_entropy(network(images[None]).logits[-1][0], labels)


def gradients(network: MFSSeg, images: Tensor, labels: Tensor) -> list[float]:
    """Return the norm of the gradient of each block of the deepest scale, in order."""
    network.zero_grad()
    loss_of(network.train(), images[:BATCH], labels[:BATCH]).backward()
    norms = [math.sqrt(sum(float(p.grad.square().sum()) for p in block.parameters()))
             for block in network.encoder[2]]
    network.zero_grad()
    return norms


@torch.no_grad()
def measure(network: MFSSeg, images: Tensor, labels: Tensor) -> dict:
    """Measure mIoU, operations, energy and firing rate on frames."""
    matrix = ConfusionMatrix(len(CAMVID))
    with OperationCounter(network.eval()) as counter:
        for x, truth in zip(images.split(BATCH), labels.split(BATCH)):
            masks = network(x[None]).logits[-1][0].argmax(1)
            matrix.update(masks.byte().numpy(), truth.byte().numpy())
    layers = [layer for layer in counter.layers.values() if layer.rate is not None]
    return {'miou': matrix.miou, 'parameters': parameters(network),
            'macs': counter.macs / len(images), 'acs': counter.acs / len(images),
            'energy_mj': counter.energy_mj() / len(images),
            'firing_rate': sum(layer.spikes for layer in layers) / sum(
                layer.inputs for layer in layers)}


@torch.no_grad()
def noise_of(network: MFSSeg, images: Tensor) -> dict:
    """
    Measure spiking noise.

    :param network: the network; it is set to evaluation mode.
    :param images: normalised frames ``[N, 3, H, W]``.
    :returns: ``silent`` and ``saturated``, shares of channels; ``rates``, percentiles 0 to 100 of
        the channels' firing rates; ``snr_db``, power of the mean spikes of noisy copies over their
        variance between the copies, in dB.
    """
    network.eval()
    random = torch.Generator().manual_seed(0)
    rates, signal, noise = [], 0.0, 0.0
    for image in images:
        copies = image + torch.randn(COPIES, *image.shape, generator=random) * (
            NOISE / 255 / PIXEL_STD)
        spikes_of: dict[str, Tensor] = {}
        with SpikeRecorder(network, spikes_of.__setitem__) as recorder:
            network(copies[None])
        rates.append(np.concatenate([each.by_channel for each in recorder.maps()]))
        for spikes in spikes_of.values():
            signal += float(spikes.mean(0).square().mean())
            noise += float(spikes.var(0).mean())
    mean_rates = np.mean(rates, 0)
    top = SATURATED * network.config.levels
    return {'silent': float((mean_rates < SILENT).mean()),
            'saturated': float((mean_rates > top).mean()),
            'snr_db': 10 * math.log10(max(signal, 1e-12) / max(noise, 1e-12)),
            'rates': np.percentile(mean_rates, np.arange(101)).round(4).tolist()}


def study_blocks(training: Stills, validation: Stills, steps: int) -> dict[str, dict]:
    """Train and measure all variants of the blocks."""
    results = {}
    for name, changes in VARIANTS.items():
        network = network_of(**changes)
        losses = train(network, *training, steps)
        results[name] = {'loss': float(np.mean(losses[-LAST_STEPS:])),
                         **measure(network, *validation),
                         **noise_of(network, validation[0][:NOISY_FRAMES])}
        print(f'{name:<44} mIoU {results[name]["miou"]:.3f}', flush=True)
    return results


def study_depth(training: Stills, validation: Stills, steps: int, depths: tuple[int, ...]
                ) -> dict[str, dict]:
    """Train and measure depths, with shortcuts and without."""
    results: dict[str, dict] = {}
    for name, block in (('EFS-Res', 'efs_res'), ('without shortcuts', 'plain')):
        results[name] = {}
        for depth in depths:
            network = network_of(depth, block=block)
            before = gradients(network, *training)
            losses = train(network, *training, steps)
            result = {'gradients': before, 'loss': float(np.mean(losses[-LAST_STEPS:])),
                      **measure(network, *validation)}
            results[name][str(depth)] = result
            print(f'{name}, {depth} blocks at each scale: loss {result["loss"]:.3f}, '
                  f'mIoU {result["miou"]:.3f}', flush=True)
    return results


def draw_blocks(path: Path, results: dict[str, dict]) -> None:
    """Plot firing rates over channels, with a line for each variant."""
    figure, ax = pyplot().subplots(figsize=(7, 4), layout='constrained')
    for name, result in results.items():
        ax.plot(np.linspace(0, 1, len(result['rates'])), result['rates'],
                label=f'{name}: {result["silent"]:.1%} silent, {result["snr_db"]:.1f} dB')
    ax.set_xlabel('channels in order of firing rate, as a share of all')
    ax.set_ylabel('firing rate')
    ax.legend(fontsize=7)
    save(figure, path)


def draw_depth(path: Path, results: dict[str, dict]) -> None:
    """Plot loss, mIoU and gradients by depth."""
    figure, axes = pyplot().subplots(1, 3, figsize=(12, 3.6), layout='constrained')
    for name, by_depth in results.items():
        depths = [int(depth) for depth in by_depth]
        axes[0].plot(depths, [row['loss'] for row in by_depth.values()], 'o-', label=name)
        axes[1].plot(depths, [row['miou'] for row in by_depth.values()], 'o-', label=name)
        deepest = list(by_depth.values())[-1]['gradients']
        axes[2].semilogy(range(1, len(deepest) + 1), deepest, 'o-', label=name)
    for ax, label in zip(axes, ('training loss', 'validation mIoU')):
        ax.set_xlabel('blocks at each scale')
        ax.set_ylabel(label)
        ax.set_xscale('log', base=2)
    axes[2].set_xlabel(f'block, of {len(deepest)}')
    axes[2].set_ylabel('gradient norm before training')
    axes[0].legend(fontsize=8)
    save(figure, path)


def main(arguments: list[str] | None = None) -> int:
    """Run ``mfs-seg ablation``; return the exit code."""
    parser = argparse.ArgumentParser(prog='mfs-seg ablation', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('study', choices=('blocks', 'depth'), help='property to vary')
    parser.add_argument('--steps', type=int, default=400,
                        help='training steps of each network (default: %(default)s)')
    parser.add_argument('--frames', type=int, default=400,
                        help='stills to train on; a quarter as many validate '
                             '(default: %(default)s)')
    parser.add_argument('--depths', type=int, nargs='+', default=DEPTHS,
                        help='blocks at each scale (default: %(default)s)')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    parser.add_argument('--picture', type=Path, help='file to plot the figures to')
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
        data_hash = DataHash()
        for each in (*training, *validation):
            data_hash.add(each.numpy())
        write_json(options.json, {
            **provenance('ablation', arguments, data_hash), 'study': options.study,
            'steps': options.steps, 'frames': options.frames, 'size': SIZE, 'results': results})
    if options.picture:
        {'blocks': draw_blocks, 'depth': draw_depth}[options.study](options.picture, results)
    return 0


if __name__ == '__main__':
    sys.exit(main())
