# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Measure block dynamical isometry: does a block pass errors on as large as they came?

``python -m mfs_seg_core.isometry --weights street``
``python -m mfs_seg_core.isometry --config fast --depth 16``

For a block with Jacobian J of m outputs, phi(J J^T) = E[tr(J J^T)] / m is the mean squared singular
value, by how much the square of a gradient changes on its way back. Near 1 in each block, gradients
neither vanish nor explode in a stack of them, if the spread phi((J J^T)^2) - phi(J J^T)^2 is small
too (Chen et al., A comprehensive and modularized statistical framework for gradient norm equality,
2020). docs/isometry.md derives what is predicted here.

Spikes have no Jacobian; it is that of their surrogate gradient, as training sees it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mfs_seg_core.data.street import Street
from mfs_seg_core.data.street.seeds import TEST_SEED
from mfs_seg_core.labels import CAMVID
from mfs_seg_core.model.baseline_blocks import BLOCKS
from mfs_seg_core.model.blocks import EFSRes
from mfs_seg_core.model.config import named_config
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.model.state import Membranes, Spiking
from mfs_seg_core.streaming.preprocess import normalise
from mfs_seg_core.util.files import write_json
from mfs_seg_core.util.provenance import DataHash, provenance
from mfs_seg_core.weights.file import load_weights

Block = Callable[[Tensor], Tensor]


class Isometry(NamedTuple):
    """Of a block: phi(J J^T), and phi((J J^T)^2) - phi(J J^T)^2."""

    phi: float
    spread: float


def measure(block: Block, x: Tensor, samples: int = 8, seed: int = 0) -> Isometry:
    """
    Estimate both with Hutchinson's trace estimator.

    For v of independent standard normal elements, E[v^T A v] = tr(A): so E|J^T v|^2 is tr(J J^T),
    and E|J J^T v|^2 is tr((J J^T)^2).

    :param block: from a tensor to one of any shape, differentiable.
    :param x: where it is measured; in a batch, the mean over it.
    :param samples: number of v.
    """
    random = torch.Generator().manual_seed(seed)
    x = x.detach().requires_grad_()
    y = block(x)
    outputs = y.numel()
    # J^T w is linear in w: its own derivative is J, at any w.
    w = torch.zeros_like(y, requires_grad=True)
    (back,) = torch.autograd.grad(y, x, w, create_graph=True)
    first = second = 0.0
    for _ in range(samples):
        v = torch.randn(y.shape, generator=random, dtype=y.dtype)
        (u,) = torch.autograd.grad(y, x, v, retain_graph=True)
        (forth,) = torch.autograd.grad(back, w, u, retain_graph=True)
        first += float(u.square().sum()) / outputs / samples
        second += float(forth.square().sum()) / outputs / samples
    return Isometry(first, second - first ** 2)


def predict(block: EFSRes, x: Tensor) -> float:
    """
    Predict phi of an EFS-Res block from what its neurons do, without a Jacobian.

    ``1 + prod over its three layers of p * g**2 / var(s)``: p the share of neurons whose surrogate
    gradient is open, g the gain of the norm, var(s) the variance of the spikes.
    """
    branch = 1.0
    for layer in (block.expand, block.depthwise, block.project):
        kept: list[Tensor] = []
        hook = layer.register_forward_pre_hook(lambda _, given, kept=kept: kept.append(given[0]))
        with torch.no_grad():
            block(x, Membranes(None))
        hook.remove()
        current = kept[0]
        spikes = current.clamp(0, layer.lif.levels).round()
        opened = ((current > 0) & (current < layer.lif.levels)).float().mean()
        # Of each channel: the norm takes their means away.
        variance = spikes.var(dim=(0, 1, 3, 4)).mean()
        gain = layer.norm.weight.detach().square().mean()
        branch *= float(opened * gain / variance.clamp(min=1e-9))
    return 1.0 + branch


def blocks_of(network: MFSSeg, images: Tensor) -> dict[str, tuple[EFSRes, Tensor]]:
    """Give the network's residual blocks, each with its input, for one step from rest."""
    found: dict[str, tuple[EFSRes, Tensor]] = {}
    hooks = [module.register_forward_pre_hook(
        lambda module, given, name=name: found.update({name: (module, given[0].detach())}))
        for name, module in network.named_modules() if type(module) is EFSRes]
    with torch.no_grad():
        network(images)
    for hook in hooks:
        hook.remove()
    return found


def of_network(network: MFSSeg, images: Tensor, samples: int) -> dict[str, dict[str, float]]:
    """Measure and predict each residual block of a network in evaluation mode."""
    result = {}
    for name, (block, x) in blocks_of(network, images).items():
        phi, spread = measure(lambda x, block=block: block(x, Membranes(None)), x, samples)
        plain = measure(lambda x, block=block: block.branch(x, Membranes(None)), x, samples)
        result[name] = {'phi': phi, 'spread': spread, 'predicted': predict(block, x),
                        'branch_phi': plain.phi}
    return result


def of_stack(depth: int, channels: int, levels: int, samples: int) -> dict[str, list[float]]:
    """
    Measure stacks of 1 to ``depth`` untrained blocks: EFS-Res, and the same without shortcuts.

    :returns: phi by kind and depth.
    """
    torch.manual_seed(0)
    result: dict[str, list[float]] = {}
    for kind in ('efs_res', 'plain'):
        x = torch.randn(1, 2, channels, 24, 32) * levels ** 0.5 / 2
        stack: list[nn.Module] = []
        result[kind] = []
        for _ in range(depth):
            stack.append(BLOCKS[kind](channels, 2, Spiking(levels, 0.25, False)))
            _calibrate(stack, x)

            def through(y: Tensor, blocks=tuple(stack)) -> Tensor:
                for each in blocks:
                    y = each(y, Membranes(None))
                return y
            result[kind].append(measure(through, x, samples).phi)
    return result


def _calibrate(stack: list[nn.Module], x: Tensor) -> None:
    """Let the norms of the last block see its input, as the first steps of training do."""
    with torch.no_grad():
        for block in stack[:-1]:
            x = block.eval()(x, Membranes(None))
        calibrate(stack[-1], lambda block: block(x, Membranes(None)))


def calibrate(module: nn.Module, run: Callable[[nn.Module], object]) -> None:
    """Set the running statistics of all norms to those of one call; then evaluation mode."""
    norms = [norm for norm in module.modules() if isinstance(norm, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        run(module.train())
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    module.eval()


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog='python -m mfs_seg_core.isometry', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument('--weights', help='name or path: after training')
    which.add_argument('--config', help="'fast' or 'paper', with random weights: before it")
    parser.add_argument('--depth', type=int, default=0,
                        help='measure stacks of so many untrained blocks too')
    parser.add_argument('--frames', type=int, default=4, help='of Street (default: %(default)s)')
    parser.add_argument('--samples', type=int, default=8, help='(default: %(default)s)')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    options = parser.parse_args(arguments)
    try:
        result = _measured(options, arguments)
    except ValueError as error:
        print(f'isometry: {error}', file=sys.stderr)
        return 1
    print(f'{"block":<14}{"phi":>8}{"spread":>9}{"predicted":>11}{"branch":>9}')
    for name, row in result['blocks'].items():
        print(f'{name:<14}{row["phi"]:>8.3f}{row["spread"]:>9.3f}{row["predicted"]:>11.3f}'
              f'{row["branch_phi"]:>9.3f}')
    for kind, phis in result['stacks'].items():
        print(f'phi of 1 to {options.depth} blocks, {kind}: '
              + ' '.join(f'{phi:.3g}' for phi in phis))
    if options.json:
        write_json(options.json, result)
    return 0


def _measured(options: argparse.Namespace, arguments: list[str] | None) -> dict:
    if min(options.frames, options.samples) < 1 or options.depth < 0:
        raise ValueError('--frames and --samples take 1 or more, --depth 0 or more')
    size = (240, 180)
    frames = [Street(TEST_SEED + i, *size).frame(1.0).image for i in range(options.frames)]
    pixels = torch.stack([torch.tensor(frame) for frame in frames]).permute(0, 3, 1, 2)
    if options.weights:
        network, metadata = load_weights(options.weights)
        images = normalise(pixels, metadata)[None]
    else:
        torch.manual_seed(0)
        network = MFSSeg(named_config(options.config, len(CAMVID)))
        images = ((pixels / 255 - 0.43) / 0.31)[None]
        calibrate(network, lambda network: network(images))
    if not isinstance(network, MFSSeg):
        raise ValueError(f'{options.weights} has no spiking blocks: choose other weights')
    levels = network.config.levels
    stacks = (of_stack(options.depth, 48, levels, options.samples) if options.depth else {})
    seen = DataHash()
    seen.add(pixels.numpy())
    return {**provenance('mfs_seg_core.isometry', arguments, seen),
            'name': options.weights or options.config, 'levels': levels,
            'blocks': of_network(network, images, options.samples), 'stacks': stacks}


if __name__ == '__main__':
    sys.exit(main())
