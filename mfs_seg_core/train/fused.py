# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Functions with gradients whose passes over memory are fused, in the C++ library, on a CPU."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from mfs_seg_core.engine.training import CrossEntropy, Depthwise, Layer, training_kernels

CHANNELS_LAST = torch.channels_last


class Norm(NamedTuple):
    """
    Batch statistics of a norm.

    :param mean: float32 ``[C]``.
    :param variance: biased, float32 ``[C]``.
    :param epsilon: added to the variance.
    """

    mean: Tensor
    variance: Tensor
    epsilon: float


class Spikes(NamedTuple):
    """
    Settings of neurons.

    :param levels: D, the largest spike.
    :param least: L, the smallest spike.
    :param measure_rates: measure the mean size of a spike.
    """

    levels: int
    least: int
    measure_rates: bool = False


def fits(x: Tensor) -> bool:
    """Return whether the fused passes can take a tensor: float32, channels last, on the CPU."""
    return (x.device.type == 'cpu' and x.dtype == torch.float32 and x.dim() == 4
            and x.numel() > 0 and x.is_contiguous(memory_format=CHANNELS_LAST))


def _layer(x: Tensor, **pointers: Tensor | None) -> Layer:
    """Return the structure of a pass over ``x`` ``[N, C, H, W]``, each image a stream."""
    return Layer(
        streams=len(x), elements=x[0].numel(), channels=x.shape[1], input=x.data_ptr(),
        **{name: tensor.data_ptr() for name, tensor in pointers.items() if tensor is not None})


def batch_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """
    Return mean and biased variance of the channels.

    :param x: ``[N, C, H, W]`` that :func:`fits`.
    :returns: float32 ``[C]`` each.
    """
    sums = x.new_empty(2, x.shape[1])
    training_kernels().moments(_layer(x, sums=sums), torch.get_num_threads())
    return sums[0], sums[1]


class _FusedLayer(torch.autograd.Function):
    """
    Norm, neurons, or a norm and neurons on its output, each direction in one or two passes.

    For the backward pass the forward pass keeps the input of the norm and, of neurons, one byte in
    place of the charged potential.
    """

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor | None, bias: Tensor | None, norm: Norm | None,
                potential: Tensor | None, decay: Tensor | None, spikes: Spikes | None):
        # weight, bias: [C]. decay: [1 or N, C]. Returns spikes, potential and rates, or the output
        # of the norm.
        scale = shift = mean = deviation = mask = after = rates = None
        if norm is not None:
            mean, deviation = norm.mean, (norm.variance + norm.epsilon).rsqrt()
            scale = weight * deviation
            shift = bias - mean * scale
        output = torch.empty_like(x)
        if spikes is not None:
            after, mask = torch.empty_like(x), torch.empty_like(x, dtype=torch.uint8)
            rates = x.new_empty(len(x)) if spikes.measure_rates else None
        layer = _layer(x, scale=scale, shift=shift, potential=potential, decay=decay,
                       output=output, next=after, mask=mask, rates=rates)
        if spikes is not None:
            layer.low, layer.high, layer.hard = spikes.least, spikes.levels, spikes.levels == 1
            layer.decays = 1 if decay is None else len(decay)
        training_kernels().forward(layer, torch.get_num_threads())
        ctx.save_for_backward(x if norm is not None else None, scale, mean, deviation, mask,
                              potential if ctx.needs_input_grad[5] else None,
                              decay if ctx.needs_input_grad[4] else None)
        ctx.set_materialize_grads(False)
        if rates is not None:
            ctx.mark_non_differentiable(rates)
        return output if spikes is None else (output, after, rates)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor | None, after_gradient: Tensor | None = None, _=None):
        x, factor, mean, deviation, mask, potential, decay = ctx.saved_tensors
        like = mask if x is None else x
        if gradient is None:
            gradient = torch.zeros_like(like, dtype=torch.float32)
        gradient = gradient.contiguous(memory_format=CHANNELS_LAST)
        if after_gradient is not None:
            after_gradient = after_gradient.contiguous(memory_format=CHANNELS_LAST)
        threads, kernels, channels = torch.get_num_threads(), training_kernels(), like.shape[1]
        layer = _layer(like, mask=mask, gradient=gradient, next_gradient=after_gradient)
        weight_gradient = bias_gradient = scale = shift = None
        if x is not None:
            sums = x.new_empty(2, channels)
            layer.mean, layer.sums = mean.data_ptr(), sums.data_ptr()
            kernels.sums(layer, threads)
            bias_gradient, weight_gradient = sums[0], sums[1] * deviation
            # The mean and the variance depend on all elements of the input.
            count = like.numel() / channels
            scale = factor * deviation * weight_gradient / -count
            shift = factor * bias_gradient / -count - scale * mean
            layer.factor, layer.scale, layer.shift = (
                each.data_ptr() for each in (factor, scale, shift))
        x_gradient = torch.empty_like(gradient)
        layer.input_gradient = x_gradient.data_ptr()
        potential_gradient = decay_gradient = None
        if potential is not None:
            decay_gradient = gradient.new_empty(len(like), channels)
            layer.potential = potential.data_ptr()
            layer.decay_gradient = decay_gradient.data_ptr()
        if decay is not None:
            potential_gradient = torch.empty_like(gradient)
            layer.decay, layer.decays = decay.data_ptr(), len(decay)
            layer.potential_gradient = potential_gradient.data_ptr()
        kernels.backward(layer, threads)
        # Autograd adds up the gradients of a decay that all streams share.
        return (x_gradient, weight_gradient, bias_gradient, None, potential_gradient,
                decay_gradient, None)


class _DepthwiseConv(torch.autograd.Function):
    """Depthwise convolution of stride 1, whose gradients torch computes slowly on a CPU."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _convolve(x, weight)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        x, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=CHANNELS_LAST)
        weight_gradient = torch.empty_like(weight, memory_format=torch.contiguous_format)
        count, channels, height, width = x.shape
        training_kernels().depthwise_weights(
            Depthwise(images=count, height=height, width=width, channels=channels,
                      kernel=weight.shape[-1], input=x.data_ptr(), gradient=gradient.data_ptr(),
                      weight_gradient=weight_gradient.data_ptr()), torch.get_num_threads())
        # The gradient of the input is a convolution too, which torch computes fast.
        return _convolve(gradient, weight.flip(2, 3)), weight_gradient


def _convolve(x: Tensor, weight: Tensor) -> Tensor:
    return functional.conv2d(x, weight, padding=weight.shape[-1] // 2, groups=len(weight))


class _CrossEntropy(torch.autograd.Function):
    """Weighted cross-entropy, whose forward pass computes the gradient too."""

    @staticmethod
    def forward(ctx, scores: Tensor, labels: Tensor, weights: Tensor, ignored: int):
        gradient = torch.empty_like(scores)
        sums = torch.empty(3, dtype=torch.float64)
        loss = CrossEntropy(
            pixels=labels.numel(), classes=scores.shape[1], ignored=ignored,
            scores=scores.data_ptr(), labels=labels.data_ptr(), weights=weights.data_ptr(),
            gradient=gradient.data_ptr(), sums=sums.data_ptr())
        training_kernels().cross_entropy(loss, torch.get_num_threads())
        if sums[2] > 0:
            raise IndexError(f'{int(sums[2])} pixels have labels of no class')
        ctx.save_for_backward(gradient)
        total, pixels = sums[:2].float()
        ctx.mark_non_differentiable(pixels)
        return total, pixels

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor, _):
        return ctx.saved_tensors[0] * gradient, None, None, None


def fused_layer(x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None,
                norm: Norm | None = None, potential: Tensor | None = None,
                decay: Tensor | None = None, spikes: Spikes | None = None):
    """
    Run a norm, a step of neurons, or both.

    :param x: float32 ``[N, C, H, W]`` that :func:`fits`, like the potential.
    :param weight: scale of the norm ``[C]``; None: no norm.
    :param bias: shift of the norm ``[C]``.
    :param norm: statistics of ``x``.
    :param potential: membrane potential before the step, ``[N, C, H, W]``; None: rest.
    :param decay: share of the potential that remains, float32 ``[1, C]`` or ``[N, C]``.
    :param spikes: settings of the neurons; None: no neurons.
    :returns: spikes, new potential, and rates ``[N]`` or None; without neurons, the output of the
        norm.
    """
    return _FusedLayer.apply(x, weight, bias, norm, potential, decay, spikes)


def depthwise(x: Tensor, weight: Tensor) -> Tensor:
    """
    Return a depthwise convolution of stride 1 and "same" padding.

    :param x: float32 ``[N, C, H, W]`` that :func:`fits`.
    :param weight: float32 ``[C, 1, k, k]``, k one of :data:`mfs_seg_core.engine.training.KERNELS`.
    :returns: float32 ``[N, C, H, W]``.
    """
    return _DepthwiseConv.apply(x, weight)


def cross_entropy(scores: Tensor, labels: Tensor, weights: Tensor, ignored: int
                  ) -> tuple[Tensor, Tensor]:
    """
    Return the weighted cross-entropy, summed over pixels.

    :param scores: class scores, float32 ``[N, K, H, W]`` that :func:`fits`.
    :param labels: uint8 ``[N, H, W]``, class ids.
    :param weights: float32 ``[K]``, weight of each class.
    :param ignored: label of pixels that do not count.
    :returns: sum of the loss, with a gradient, and sum of the weights, float32 ``[]``.
    :raises IndexError: a label is no class.
    """
    return _CrossEntropy.apply(scores, labels.contiguous(), weights.contiguous(), ignored)
