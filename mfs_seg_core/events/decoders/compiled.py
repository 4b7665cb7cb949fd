# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Numba for the decoders: compiled once, kept on disk, free of the GIL.

Numba keeps what it compiled until the file of the function changes: after a change of the helpers
here, delete the files ``*.nbi`` of the decoders.
"""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_NUMBERS = types.Array(types.int64, 1, 'C')
# data, width, height, state, counts, triggers -> t, x, y, p: see `Decoder`. Read-only data may be
# given as well as data that can be written, so that there is one version to compile.
KERNEL = types.Tuple((_NUMBERS, *(types.Array(kind, 1, 'C') for kind in
                                  (types.uint16, types.uint16, types.bool_))))(
    types.Array(types.uint8, 1, 'C', readonly=True), types.int64, types.int64,
    _NUMBERS, _NUMBERS, _NUMBERS)


def kernel(function: Callable) -> Callable:
    """Compile the inner loop of a decoder; from the cache where it is there."""
    try:
        return numba.njit(KERNEL, nogil=True, cache=True)(function)
    except Exception:
        # No folder that a cache can be written to, a full disk, a cache that is broken: it is only
        # a matter of time. A fault of the function itself is raised again here.
        return numba.njit(KERNEL, nogil=True)(function)


@intrinsic
def count_bits(context, value):
    """Return how many bits of an int64 are set."""
    def code(context, builder, signature, arguments):
        return builder.ctpop(*arguments)
    return types.int64(types.int64), code


@intrinsic
def lowest_bit(context, value):
    """Return the place of the lowest bit that is set in an int64, which is not 0."""
    def code(context, builder, signature, arguments):
        return builder.cttz(*arguments, ir.Constant(ir.IntType(1), 1))
    return types.int64(types.int64), code


@numba.njit
def next_high(high: int, value: int, bits: int, resumed: bool) -> int:
    """
    Return the upper part of the time, counted on over the wraps of its ``bits``.

    :param high: the one before, wraps included; negative: there was none.
    :param value: what a word says, less than ``2 ** bits``.
    :param resumed: data were lost since. Otherwise time that falls has wrapped only where it
        falls by more than half of the range; less than that, it went back.
    """
    if high < 0:
        return value
    step = value - (high & (1 << bits) - 1)
    if step < 0 and (resumed or step <= -(1 << bits - 1)):
        step += 1 << bits
    return high + step


@numba.njit
def count_falls(t, latest: int) -> int:
    """
    Return how many times are less than the one before.

    :param t: int64 ``[N]``.
    :param latest: the time before the first one.
    """
    falls = np.int64(t.size > 0 and t[0] < latest)
    for i in range(1, t.size):
        falls += t[i] < t[i - 1]
    return falls
