# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Record the operations of a torch function as an ONNX graph.

The function runs once on example tensors, and each operation that depends on an input is written as
a node; all others are constants. Tensors ``[T, B, ...]`` have T = 1 here, so the graph leaves out
the first of five dimensions. B of the example is 1, so that no constant has the size of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from onnx import NodeProto, TensorProto, helper, numpy_helper
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

aten = torch.ops.aten
# ONNX types by those of torch.
TYPES = {torch.float32: TensorProto.FLOAT, torch.uint8: TensorProto.UINT8}
# Operations whose result does not depend on the numbers of their inputs.
BLANK = {aten.zeros_like.default, aten.new_zeros.default}
# Operations of two tensors or numbers that ONNX has too.
PAIRS = {aten.sub.Tensor: 'Sub', aten.sub_.Tensor: 'Sub', aten.div.Tensor: 'Div',
         aten.minimum.default: 'Min', aten.pow.Tensor_Tensor: 'Pow', aten.pow.Scalar: 'Pow'}


class GraphRecorder(TorchDispatchMode):
    """
    Records operations as nodes while it is open as a context.

    :ivar nodes: the nodes, in order of execution.
    :ivar initializers: constants by name.
    """

    def __init__(self, inputs: Mapping[str, Tensor], batch: int | None):
        """
        Start a graph.

        :param inputs: example tensors of one stream, whose operations are recorded, by name.
        :param batch: number of streams in the graph; None: open.
        """
        super().__init__()
        self.nodes: list[NodeProto] = []
        self.initializers: dict[str, TensorProto] = {}
        self._names = WeakTensorKeyDictionary()
        self._batch = batch
        for name, tensor in inputs.items():
            self._names[tensor] = name

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run an operation, and record it if it depends on an input."""
        kwargs = kwargs or {}
        tensors = [x for x in [*args, *kwargs.values()] if isinstance(x, Tensor)]
        if args and isinstance(args[0], (list, tuple)):
            tensors += [x for x in args[0] if isinstance(x, Tensor)]
        depends = func not in BLANK and any(x in self._names for x in tensors)
        result = func(*args, **kwargs)
        if depends:
            handler = self._handlers().get(func)
            if handler is None:
                raise ValueError(f'the network has an operation without a counterpart in ONNX '
                                 f'({func}): export weights of another configuration')
            # An operation in place returns its first input.
            self._names[result] = handler(result, *args, **kwargs)
        return result

    def name(self, x: Tensor | float) -> str:
        """Return the name of a tensor or number in the graph, which may be a new constant."""
        if isinstance(x, Tensor):
            if x in self._names:
                return self._names[x]
            array = x.detach().numpy()
            if (array == array.flat[0]).all():
                # One number for all, such as the current 0 of an absent sensor.
                array = array.flat[0]
        else:
            array = np.float32(x)
        return self.constant(array)

    def constant(self, array: np.ndarray) -> str:
        """Return the name of a constant; equal ones have one name."""
        array = np.asarray(array)
        tensor = numpy_helper.from_array(np.array(array, order='C'))
        key = tensor.SerializeToString()
        if key not in self.initializers:
            tensor.name = f'constant_{len(self.initializers)}'
            self.initializers[key] = tensor
        return self.initializers[key].name

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Append a node of one output; return the name of the output."""
        name = f'{kind}_{len(self.nodes)}'
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    def _handlers(self) -> dict[Any, Callable[..., str]]:
        return {
            **{func: lambda y, a, b, kind=kind: self.add(kind, self.name(a), self.name(b))
               for func, kind in PAIRS.items()},
            aten.add.Tensor: self._add,
            aten.mul.Tensor: self._mul,
            aten.addcmul.default: lambda y, x, a, b: self.add('Add', self.name(x), self._mul(
                y, a, b)),
            aten.rsub.Scalar: lambda y, x, number: self.add('Sub', self.name(number),
                                                            self.name(x)),
            aten.clamp.default: lambda y, x, low, high: self.add(
                'Clip', self.name(x), self.name(low), self.name(high)),
            aten.round_.default: lambda y, x: self.add('Round', self.name(x)),
            aten.convolution.default: self._convolution,
            aten.cat.default: lambda y, tensors, dim=0: self.add(
                'Concat', *(self.name(x) for x in tensors), axis=_from_end(dim, y.ndim)),
            aten.upsample_bilinear2d.default: lambda y, x, size, *options: self._resize(
                x, size, mode='linear', coordinate_transformation_mode='half_pixel'),
            aten.upsample_nearest2d.default: lambda y, x, size, *options: self._resize(
                x, size, mode='nearest', coordinate_transformation_mode='asymmetric',
                nearest_mode='floor'),
            aten.slice.Tensor: self._slice,
            aten.select.int: self._select,
            aten.unsqueeze.default: self._unsqueeze,
            aten.squeeze.dim: lambda y, x, dim: self._same_but_steps(x, dim),
            aten.view.default: self._view,
            aten.detach.default: lambda y, x: self.name(x),
            aten.alias.default: lambda y, x: self.name(x),
            aten.permute.default: lambda y, x, order: self.add('Transpose', self.name(x),
                                                               perm=order),
            aten._to_copy.default: lambda y, x, dtype: self.add('Cast', self.name(x),
                                                                to=TYPES[dtype]),
            aten.argmax.default: lambda y, x, dim: self.add(
                'ArgMax', self.name(x), axis=_from_end(dim, x.ndim), keepdims=0),
        }

    def _add(self, y: Tensor, a: Tensor, b: Tensor, alpha: float = 1) -> str:
        return self.add('Add', self.name(a), self._mul(y, b, alpha))

    def _mul(self, y: Tensor, a: Tensor, b: Tensor | float) -> str:
        if not isinstance(b, Tensor) and b == 1:
            return self.name(a)
        return self.add('Mul', self.name(a), self.name(b))

    def _convolution(self, y, x, weight, bias, stride, padding, dilation, transposed,
                     output_padding, groups) -> str:
        parameters = [self.constant(each.numpy()) for each in (weight, bias) if each is not None]
        return self.add('ConvTranspose' if transposed else 'Conv', self.name(x), *parameters,
                        kernel_shape=list(weight.shape[2:]), strides=list(stride),
                        pads=[*padding, *padding], dilations=list(dilation), group=groups)

    def _resize(self, x: Tensor, size: list[int], **mode: str) -> str:
        factors = [new / old for new, old in zip(size, x.shape[-2:])]
        if all(factor.is_integer() for factor in factors):
            scales = self.constant(np.array([1, 1, *factors], np.float32))
            return self.add('Resize', self.name(x), '', scales, **mode)
        # A factor that is no whole number would be rounded: sizes are exact.
        if self._batch is None:
            front = self.add('Shape', self.name(x), start=0, end=2)
            sizes = self.add('Concat', front, self.constant(np.array(size, np.int64)), axis=0)
        else:
            sizes = self.constant(np.array([self._batch, x.shape[-3], *size], np.int64))
        return self.add('Resize', self.name(x), '', '', sizes, **mode)

    def _slice(self, y: Tensor, x: Tensor, dim: int = 0, start: int = 0, end: int = 0,
               step: int = 1) -> str:
        if y.shape == x.shape:
            return self.name(x)
        first, last, axis = (self.constant(np.array([n], np.int64))
                             for n in (start, end, _from_end(dim, x.ndim)))
        return self.add('Slice', self.name(x), first, last, axis)

    def _select(self, y: Tensor, x: Tensor, dim: int, index: int) -> str:
        if dim == 0:
            return self._same_but_steps(x, dim)
        return self.add('Gather', self.name(x), self.constant(np.int64(index)),
                        axis=_from_end(dim, x.ndim))

    def _unsqueeze(self, y: Tensor, x: Tensor, dim: int) -> str:
        if dim == 0:
            return self.name(x)
        axes = self.constant(np.array([_from_end(dim, y.ndim)], np.int64))
        return self.add('Unsqueeze', self.name(x), axes)

    def _view(self, y: Tensor, x: Tensor, shape: list[int]) -> str:
        """Append dimensions of size 1."""
        if x.ndim != 1 or y.ndim != 4:
            raise ValueError(f'a view of {list(x.shape)} as {shape} has no counterpart')
        return self.add('Unsqueeze', self.name(x), self.constant(np.array([1, 2, 3], np.int64)))

    def _same_but_steps(self, x: Tensor, dim: int) -> str:
        """Return the name of a tensor, whose first dimension is that of the time steps."""
        if dim != 0 or x.shape[0] != 1:
            raise ValueError(f'dimension {dim} of {list(x.shape)} is not that of the steps')
        return self.name(x)


def _from_end(dim: int, dimensions: int) -> int:
    """Return a dimension counted from the last, which leaving out the first does not change."""
    return dim if dim < 0 else dim - dimensions
