# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversion of an artificial network to the spiking network of the same shape."""

from __future__ import annotations

import dataclasses
from itertools import cycle

import torch
from torch import Tensor, nn

from mfs_seg_core.model.lite import LiteSeg

# Share of the activations of a channel, and of a layer, that lie within the levels of a neuron.
SHARE = 0.995
# Smallest range of a channel, in ranges of its layer: near-silent channels are not amplified more.
LEAST_RANGE = 0.25


@torch.no_grad()
def convert(twin: LiteSeg, images: Tensor, levels: int, leak: float = 0.25,
            per_channel: bool = True, events: Tensor | None = None) -> LiteSeg:
    """
    Return the spiking network whose spikes approximate the activations of an artificial one.

    The scale of each current is set so that D spikes stand for the range of its activations on the
    images. It is folded into the norms that write the current and the convolutions that read it:
    the converted network has no scales, and its spikes are plain integers.

    :param twin: artificial network, in evaluation mode.
    :param images: normalised images ``[N, C, H, W]`` to measure the ranges on.
    :param levels: D of the spiking network.
    :param leak: leak of its neurons at the start of their training.
    :param per_channel: one scale for each channel of a current; False: one for all.
    :param events: event tensors ``[N, E, H, W]`` of the same times, for a twin that takes both: the
        ranges are then those of camera, events and fusion.
    :returns: spiking network in evaluation mode.
    """
    currents = twin.currents()
    ranges = _ranges(twin, images, events)
    config = dataclasses.replace(twin.config, analogue=False, levels=levels, leak=leak,
                                 learn_leak=True)
    network = LiteSeg(config).to(images.device)
    network.load_state_dict(twin.state_dict(), strict=False)
    names = {module: name for name, module in twin.named_modules()}
    modules = dict(network.named_modules())
    for current in currents:
        channels = current.writers[0].norm.num_features
        # A layer that reads two currents of equal scale after one another, as Recall does.
        found = torch.stack([ranges[names[reader]].view(-1, channels).amax(0)
                             for reader in current.readers]).amax(0)
        whole = found.amax() if not per_channel else found.clamp(min=LEAST_RANGE * found.amax())
        scale = levels / whole.clamp(min=1e-3).expand(channels)
        for writer in current.writers:
            norm = modules[names[writer]].norm
            norm.weight.mul_(scale)
            norm.bias.mul_(scale)
        for reader in current.readers:
            _divide_inputs(modules[names[reader]].conv, scale)
    return network.eval()


def _ranges(twin: LiteSeg, images: Tensor, events: Tensor | None) -> dict[str, Tensor]:
    """Return the range of each channel of the input of each layer with neurons, by its name."""
    ranges: dict[str, Tensor] = {}

    def record(name: str, module: nn.Module, inputs: tuple) -> None:
        values = inputs[0][0].float().transpose(0, 1).flatten(1)
        values = module.lif.clip(values).abs()
        rank = max(1, round(SHARE * values.shape[1]))
        found = values.kthvalue(rank, dim=1).values
        ranges[name] = torch.maximum(found, ranges[name]) if name in ranges else found

    handles = [module.register_forward_pre_hook(
        lambda module, inputs, name=name: record(name, module, inputs))
        for name, module in twin.named_modules() if hasattr(module, 'lif')]
    windows = [None] if events is None else events.split(8)
    for image, window in zip(images.split(8), cycle(windows)):
        twin(image[None])
        if window is not None:
            twin(image[None], events=window[None])
            twin(None, events=window[None])
    for handle in handles:
        handle.remove()
    return ranges


def _divide_inputs(conv: nn.Module, scale: Tensor) -> None:
    """Divide the weights of a convolution by the scale of its input channels."""
    if isinstance(conv, nn.ConvTranspose2d) or conv.groups > 1:
        conv.weight.div_(scale[:, None, None, None])
    else:
        conv.weight.div_(scale.repeat(conv.in_channels // len(scale))[:, None, None])
