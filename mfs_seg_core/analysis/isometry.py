# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Measure block dynamical isometry: whether blocks keep the size of gradients.

``mfs-seg isometry --weights street``
``mfs-seg isometry --config fast --depth 16``

For a block with Jacobian J of m outputs, phi(J J^T) = E[tr(J J^T)] / m is the mean squared singular
value: the factor on the mean square of a gradient that is propagated back through the block. With
phi near 1 in each block, gradients neither vanish nor explode in a stack of blocks, provided that
the spread phi((J J^T)^2) - phi(J J^T)^2 is small too (Chen et al., A comprehensive and modularized
statistical framework for gradient norm equality, 2020). docs/isometry.md derives the prediction.

Spikes have no Jacobian; it is that of their surrogate gradient, as in training.
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
from mfs_seg_core.model.layer_recorder import LayerRecorder
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.model.state import Membranes, Spiking
from mfs_seg_core.streaming.preprocess import normalise
from mfs_seg_core.util.files import write_json
from mfs_seg_core.util.provenance import DataHash, provenance
from mfs_seg_core.util.table import text_table
from mfs_seg_core.weights.file import load_weights

Block = Callable[[Tensor], Tensor]

# Mean and standard deviation of Street's pixels in shares of 255, all channels together: the
# normalisation of networks without weights.
PIXEL_MEAN, PIXEL_STD = 0.43, 0.31
SIZE = (240, 180)
# Untrained stacks of blocks: channels of the blocks, and height and width of their input.
STACK_CHANNELS = 48
STACK_SIZE = (24, 32)


class Isometry(NamedTuple):
    """Moments of a block's J J^T: phi(J J^T), and phi((J J^T)^2) - phi(J J^T)^2."""

    phi: float
    spread: float


def measure(block: Block, x: Tensor, samples: int = 8, seed: int = 0) -> Isometry:
    """
    Estimate phi and its spread with Hutchinson's trace estimator.

    For v of independent standard normal elements, E[v^T A v] = tr(A), so E|J^T v|^2 is tr(J J^T)
    and E|J J^T v|^2 is tr((J J^T)^2).

    :param block: differentiable function from a tensor to a tensor of any shape.
    :param x: input to measure at; over a batch, the result is the mean.
    :param samples: number of v.
    :param seed: seed of v.
    :returns: phi and its spread.
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
    Predict phi of an EFS-Res block from its firing, without a Jacobian.

    The prediction is ``1 + prod of p * g**2 / var(s)`` over the block's three layers, with p the
    share of neurons whose surrogate gradient is not 0, g the gain of the norm, and var(s) the
    variance of the spikes.

    :param block: the block.
    :param x: current ``[T, B, C, H, W]`` into the block.
    :returns: phi.
    """
    layers = {name: getattr(block, name) for name in ('expand', 'depthwise', 'project')}
    currents: dict[str, Tensor] = {}
    with LayerRecorder(layers, lambda name, _, x, __: currents.update({name: x})), torch.no_grad():
        block(x, Membranes(None))
    branch = 1.0
    for name, layer in layers.items():
        current = currents[name]
        spikes = current.clamp(0, layer.lif.levels).round()
        opened = ((current > 0) & (current < layer.lif.levels)).float().mean()
        # The variance within channels: the norm subtracts the mean of each.
        variance = spikes.var(dim=(0, 1, 3, 4)).mean()
        gain = layer.norm.weight.detach().square().mean()
        branch *= float(opened * gain / variance.clamp(min=1e-9))
    return 1.0 + branch


def blocks_of(network: MFSSeg, images: Tensor) -> dict[str, tuple[EFSRes, Tensor]]:
    """Return a network's residual blocks by name, each with its input, for one step from rest."""
    blocks = {name: module for name, module in network.named_modules() if type(module) is EFSRes}
    found: dict[str, tuple[EFSRes, Tensor]] = {}

    def record(name: str, block: nn.Module, x: Tensor, _: Tensor) -> None:
        found[name] = block, x.detach()
    with LayerRecorder(blocks, record), torch.no_grad():
        network(images)
    return found


def of_network(network: MFSSeg, images: Tensor, samples: int) -> dict[str, dict[str, float]]:
    """
    Measure and predict each residual block of a network in evaluation mode.

    :param network: the network.
    :param images: normalised pixels ``[T, B, 3, H, W]``.
    :param samples: number of random vectors for each block.
    :returns: by block ``phi``, ``spread``, ``predicted`` phi, and ``branch_phi``: phi of the block
        without its shortcut.
    """
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

    :param depth: number of blocks in the deepest stack.
    :param channels: channels of each block.
    :param levels: D of the neurons.
    :param samples: number of random vectors for each stack.
    :returns: phi of each depth, by kind of block.
    """
    torch.manual_seed(0)
    result: dict[str, list[float]] = {}
    for kind in ('efs_res', 'plain'):
        x = torch.randn(1, 2, channels, *STACK_SIZE) * levels ** 0.5 / 2
        stack: list[nn.Module] = []
        result[kind] = []
        for _ in range(depth):
            stack.append(BLOCKS[kind](channels, 2, Spiking(levels, 0.25, False)))
            _calibrate_last(stack, x)

            def run(y: Tensor, blocks=tuple(stack)) -> Tensor:
                for each in blocks:
                    y = each(y, Membranes(None))
                return y
            result[kind].append(measure(run, x, samples).phi)
    return result


def _calibrate_last(stack: list[nn.Module], x: Tensor) -> None:
    """Set the norms of the last block to the statistics of its input."""
    with torch.no_grad():
        for block in stack[:-1]:
            x = block.eval()(x, Membranes(None))
        calibrate(stack[-1], lambda block: block(x, Membranes(None)))


def calibrate(module: nn.Module, run: Callable[[nn.Module], object]) -> None:
    """Set the running statistics of all norms to those of one call; then set evaluation mode."""
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
    """Run ``mfs-seg isometry``; return the exit code."""
    parser = argparse.ArgumentParser(prog='mfs-seg isometry', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument('--weights', help='name or path of trained weights')
    which.add_argument('--config', help="'fast' or 'paper', with random weights")
    parser.add_argument('--depth', type=int, default=0,
                        help='also measure stacks of 1 to DEPTH untrained blocks')
    parser.add_argument('--frames', type=int, default=4,
                        help='frames of Street (default: %(default)s)')
    parser.add_argument('--samples', type=int, default=8,
                        help='random vectors for each estimate (default: %(default)s)')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    options = parser.parse_args(arguments)
    try:
        result = _measured(options, arguments)
    except ValueError as error:
        print(f'isometry: {error}', file=sys.stderr)
        return 1
    columns = ('phi', 'spread', 'predicted', 'branch_phi')
    print(text_table([['block', 'phi', 'spread', 'predicted', 'branch'], *(
        [name, *(f'{row[column]:.3f}' for column in columns)]
        for name, row in result['blocks'].items())]))
    for kind, phis in result['stacks'].items():
        print(f'phi of 1 to {options.depth} blocks, {kind}: '
              + ' '.join(f'{phi:.3g}' for phi in phis))
    if options.json:
        write_json(options.json, result)
    return 0


def _measured(options: argparse.Namespace, arguments: list[str] | None) -> dict:
    if min(options.frames, options.samples) < 1 or options.depth < 0:
        raise ValueError('--frames and --samples take 1 or more, --depth 0 or more')
    metadata = None
    if options.weights:
        network, metadata = load_weights(options.weights)
        if not isinstance(network, MFSSeg):
            raise ValueError(f'{options.weights} has no spiking blocks: choose other weights')
    else:
        torch.manual_seed(0)
        network = MFSSeg(named_config(options.config, len(CAMVID)))
    frames = [Street(TEST_SEED + i, *SIZE).frame(1.0).image for i in range(options.frames)]
    pixels = torch.stack([torch.tensor(frame) for frame in frames]).permute(0, 3, 1, 2)
    if metadata:
        images = normalise(pixels, metadata)[None]
    else:
        images = ((pixels / 255 - PIXEL_MEAN) / PIXEL_STD)[None]
        calibrate(network, lambda network: network(images))
    levels = network.config.levels
    stacks = (of_stack(options.depth, STACK_CHANNELS, levels, options.samples)
              if options.depth else {})
    data_hash = DataHash()
    data_hash.add(pixels.numpy())
    return {**provenance('isometry', arguments, data_hash),
            'name': options.weights or options.config, 'levels': levels,
            'blocks': of_network(network, images, options.samples), 'stacks': stacks}


if __name__ == '__main__':
    sys.exit(main())
