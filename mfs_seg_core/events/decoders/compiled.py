# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Compilation of the decoders' kernels by Numba: cached on disk, run without the GIL.

Numba compiles a cached kernel again only when the file of the kernel changes. After a change of the
helpers in this file, delete the ``*.nbi`` files of the decoders.
"""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from mfs_seg_core.events.decoders.decoder import BACK, LATEST

_NUMBERS = types.Array(types.int64, 1, 'C')
# data, width, height, state, counts, triggers -> t, x, y, p: see Decoder. Data is declared
# read-only, which accepts writable data too, so that Numba compiles one version only.
KERNEL = types.Tuple((_NUMBERS, *(types.Array(kind, 1, 'C') for kind in
                                  (types.uint16, types.uint16, types.bool_))))(
    types.Array(types.uint8, 1, 'C', readonly=True), types.int64, types.int64,
    _NUMBERS, _NUMBERS, _NUMBERS)


def kernel(function: Callable) -> Callable:
    """Compile the inner loop of a decoder, or load it from the cache."""
    try:
        return numba.njit(KERNEL, nogil=True, cache=True)(function)
    except Exception:
        # Without a usable cache (no writable folder, a full disk, a damaged file) only start-up is
        # slower. An error in the function itself is raised again here.
        return numba.njit(KERNEL, nogil=True)(function)


@intrinsic
def count_bits(context, value):
    """Return the number of bits that are set in an int64."""
    def code(context, builder, signature, arguments):
        return builder.ctpop(*arguments)
    return types.int64(types.int64), code


@intrinsic
def lowest_bit(context, value):
    """Return the index of the lowest bit that is set in an int64 other than 0."""
    def code(context, builder, signature, arguments):
        return builder.cttz(*arguments, ir.Constant(ir.IntType(1), 1))
    return types.int64(types.int64), code


@numba.njit
def next_high(high: int, value: int, bits: int, resumed: bool) -> int:
    """
    Return the upper part of the time, with its wraps counted.

    :param high: the previous upper part, wraps included; negative: none.
    :param value: the upper part in the current word, less than ``2 ** bits``.
    :param bits: width of the upper part in a word.
    :param resumed: whether data are missing before this word. If so, any fall is a wrap. Otherwise
        a fall by more than half of the range is a wrap, and a smaller one is time that went back.
    :returns: the upper part, wraps included.
    """
    if high < 0:
        return value
    step = value - (high & (1 << bits) - 1)
    if step < 0 and (resumed or step <= -(1 << bits - 1)):
        step += 1 << bits
    return high + step


@numba.njit
def check_times(t: np.ndarray, state: np.ndarray, counts: np.ndarray) -> None:
    """
    Count the times that are less than their predecessor, and keep the last one in the state.

    :param t: times of the events of a call, int64 ``[N]``.
    :param state: state of the decoder.
    :param counts: counts of the decoder.
    """
    if t.size == 0:
        return
    falls = np.int64(t[0] < state[LATEST])
    # Comparing array elements, without a variable for the last one, vectorises.
    for i in range(1, t.size):
        falls += t[i] < t[i - 1]
    state[LATEST] = t[-1]
    counts[BACK] += falls
