# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Load the C++ library and choose its kernels.

The library has a plain C interface and is loaded by ctypes: it needs neither Python's headers nor
a binding generator to build, and one build serves every version of Python.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import c_char_p, c_int32, c_int64, c_void_p
from functools import cache
from importlib.util import find_spec

from mfs_seg_core.engine import layout

# Names kernels by hand, for tests and measurements.
VARIABLE = 'MFS_SEG_KERNELS'


class EngineUnavailableError(RuntimeError):
    """The engine cannot run here; the message names the reason and the remedy."""


class Library:
    """The functions of the C++ library, with kernels chosen for this processor."""

    def __init__(self, path: str):
        """
        Load the library.

        :param path: path of the shared object.
        :raises EngineUnavailableError: it cannot be loaded, or is of another version.
        """
        try:
            self.functions = ctypes.CDLL(path)
        except OSError as error:
            raise EngineUnavailableError(f'{path} cannot be loaded ({error}): install '
                                         'mfs_seg_ros again') from None
        call = self.functions
        for name in ('mfs_op_size', 'mfs_stream_size'):
            getattr(call, name).restype = c_int64
        sizes = call.mfs_abi(), call.mfs_op_size(), call.mfs_stream_size()
        if sizes != (layout.ABI, ctypes.sizeof(layout.Op), ctypes.sizeof(layout.StreamMemory)):
            raise EngineUnavailableError(f'{path} is of another version: install mfs_seg_ros again')
        call.mfs_kernels.restype, call.mfs_kernels.argtypes = c_char_p, [c_int32]
        call.mfs_supported.argtypes = [c_int32]
        call.mfs_run.restype = call.mfs_wake.restype = None
        call.mfs_wake.argtypes = []
        call.mfs_run.argtypes = [c_int32, c_void_p, c_int32, c_void_p, c_int32, c_void_p, c_void_p,
                                 c_int32, c_void_p]
        call.mfs_resize.restype = call.mfs_enlarge.restype = None
        call.mfs_enlarge.argtypes = [c_void_p, c_int32, c_void_p, c_int32, c_int32, c_void_p,
                                     c_void_p]
        call.mfs_resize.argtypes = [
            c_void_p, c_int32, c_int32, c_void_p, c_int32, c_int32, c_void_p, c_void_p, c_int32,
            c_int32, c_void_p, c_void_p, c_int32, c_int32, c_void_p, c_void_p]
        self.kernels = self._names()
        os.register_at_fork(after_in_child=call.mfs_after_fork)
        self.run, self.wake = call.mfs_run, call.mfs_wake
        self.resize, self.enlarge = call.mfs_resize, call.mfs_enlarge

    def _names(self) -> dict[str, int]:
        """Return the kernels that this processor can run, best first, and their indices."""
        names, index = {}, 0
        while name := self.functions.mfs_kernels(index):
            if self.functions.mfs_supported(index):
                names[name.decode()] = index
            index += 1
        return names

    def taps(self, name: str) -> int:
        """Return the rows of a depthwise kernel that the weights are packed for."""
        return self.functions.mfs_taps(self.kernels[name])

    def choose(self, name: str = '') -> str:
        """
        Return the name of the kernels to use.

        :param name: name of kernels; empty: that in the environment, else the best.
        :returns: a key of :attr:`kernels`.
        :raises EngineUnavailableError: this processor cannot run them.
        """
        name = name or os.environ.get(VARIABLE, '') or next(iter(self.kernels))
        if name not in self.kernels:
            raise EngineUnavailableError(f'no kernels {name!r} on this processor: choose from '
                                         f'{", ".join(self.kernels)} ({VARIABLE})')
        return name


@cache
def library() -> Library:
    """
    Return the library, loaded on the first call.

    :returns: the functions of the library.
    :raises EngineUnavailableError: it was not built, or cannot be loaded.
    """
    spec = find_spec('mfs_seg_core.engine._native')
    if spec is None or spec.origin is None:
        raise EngineUnavailableError('the native engine was not built: install a C++ compiler '
                                     '(apt install g++) and mfs_seg_ros again')
    return Library(spec.origin)


def default_threads() -> int:
    """Return the number of threads to use unless set: OMP_NUM_THREADS, else that of the cores."""
    text = os.environ.get('OMP_NUM_THREADS', '')
    return int(text) if text.isdigit() and int(text) else len(os.sched_getaffinity(0))
