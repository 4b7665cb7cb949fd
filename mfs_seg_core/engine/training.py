# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Call the fused passes of a training step in the C++ library."""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_float, c_int32, c_int64, c_void_p
from functools import cache

from mfs_seg_core.engine.library import EngineUnavailableError, library

# Sizes of kernels that Depthwise takes.
KERNELS = (3, 5, 7)


class Layer(ctypes.Structure):
    """Norm, layer of neurons, or both: the structure of native/training.h, which has the units."""

    _fields_ = [
        ('streams', c_int64), ('elements', c_int64), ('channels', c_int32), ('decays', c_int32),
        ('hard', c_int32), ('low', c_float), ('high', c_float), ('unused', c_int32),
        *((name, c_void_p) for name in (
            'input', 'scale', 'shift', 'factor', 'mean', 'potential', 'decay', 'output', 'next',
            'mask', 'gradient', 'next_gradient', 'input_gradient', 'potential_gradient',
            'decay_gradient', 'sums', 'rates'))]


class Depthwise(ctypes.Structure):
    """Depthwise convolution: the structure of native/training.h."""

    _fields_ = [
        *((name, c_int32) for name in (
            'images', 'height', 'width', 'channels', 'kernel', 'unused')),
        *((name, c_void_p) for name in ('input', 'gradient', 'weight_gradient'))]


class CrossEntropy(ctypes.Structure):
    """Weighted cross-entropy: the structure of native/training.h."""

    _fields_ = [
        ('pixels', c_int64), ('classes', c_int32), ('ignored', c_int32),
        *((name, c_void_p) for name in ('scores', 'labels', 'weights', 'gradient', 'sums'))]


STRUCTURES = Layer, Depthwise, CrossEntropy


class TrainingKernels:
    """
    The passes of a training step, by one set of instructions.

    A pass is called with its structure and a number of threads.
    """

    def __init__(self, name: str = ''):
        """
        Choose the kernels.

        :param name: name of kernels, for tests and measurements; empty: the best.
        :raises EngineUnavailableError: there is no library or OpenMP, or this processor does not
            have the instructions.
        """
        functions = library().functions
        sizes = (c_int64 * len(STRUCTURES))()
        try:
            functions.mfs_training_sizes(sizes)
        except AttributeError:
            sizes = ()
        if tuple(sizes) != tuple(map(ctypes.sizeof, STRUCTURES)):
            raise EngineUnavailableError('the native engine is of another version: install '
                                         'mfs_seg_ros again')
        names = self._names(functions)
        self.name = name or next(iter(names))
        if self.name not in names:
            raise EngineUnavailableError(f'no training kernels {name!r} on this processor: choose '
                                         f'from {", ".join(names)}')
        self._index = names[self.name]
        functions.mfs_training_threads.argtypes = [c_void_p]
        functions.mfs_training_threads(_openmp())
        (self.moments, self.forward, self.sums, self.backward, self.depthwise_weights,
         self.cross_entropy) = (
            self._bind(functions[f'mfs_training_{each}']) for each in (
                'moments', 'forward', 'sums', 'backward', 'depthwise_weights', 'cross_entropy'))

    @staticmethod
    def _names(functions: ctypes.CDLL) -> dict[str, int]:
        """Return the kernels that this processor can run, best first, and their indices."""
        functions.mfs_training_kernels.restype = c_char_p
        names, index = {}, 0
        while name := functions.mfs_training_kernels(index):
            if functions.mfs_training_supported(index):
                names[name.decode()] = index
            index += 1
        return names

    def _bind(self, function):
        function.restype, function.argtypes = None, [c_int32, c_void_p, c_int32]

        def call(structure: ctypes.Structure, threads: int) -> None:
            function(self._index, ctypes.byref(structure), threads)
        return call


def _openmp() -> c_void_p:
    """
    Return the function by which torch starts its threads.

    :returns: address of GNU OpenMP's GOMP_parallel, which torch makes a global symbol.
    :raises EngineUnavailableError: torch runs on other threads.
    """
    try:
        return ctypes.cast(ctypes.CDLL(None).GOMP_parallel, c_void_p)
    except (AttributeError, OSError):
        raise EngineUnavailableError('torch does not run on GNU OpenMP: training runs without '
                                     'fused kernels') from None


@cache
def training_kernels() -> TrainingKernels:
    """
    Return the best kernels, loaded on the first call.

    :returns: the kernels.
    :raises EngineUnavailableError: they cannot run here.
    """
    return TrainingKernels()
