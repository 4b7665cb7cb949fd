# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The structures of native/program.h, for ctypes."""

from __future__ import annotations

from ctypes import Structure, c_float, c_int32, c_int64, c_void_p

ABI = 3
MAX_ADDS, MAX_STORES, MAX_NEURONS = 3, 2, 4
PANEL, GROUP, NORMALS = 16, 4, 48

# enum Space
NONE, ARENA, STATE, CAMERA, EVENTS, MASK, CONFIDENCE, CLASSES = SPACES = range(8)
# enum Source
SOURCES = ('zero', 'dense', 'depthwise', 'stem', 'pixels', 'tensor')


class View(Structure):
    """Place of a plane in one of a stream's memories."""

    _fields_ = [('offset', c_int64), ('space', c_int32), ('row', c_int32), ('pixel', c_int32),
                ('unused', c_int32)]


class Add(Structure):
    """A current that is added, interpolated where it has tables."""

    _fields_ = [('view', View), ('rows', c_int64), ('columns', c_int64)]


class Interpolation(Structure):
    """The two neighbours of an output row or column."""

    _fields_ = [('low', c_int32), ('high', c_int32), ('share', c_float)]


class NeuronsOp(Structure):
    """Neurons that take the current of an operation."""

    _fields_ = [('state', View), ('spikes', View), ('leak', c_int64), ('high', c_float),
                ('low', c_int32), ('hard', c_int32), ('counter', c_int32), ('count', c_int32),
                ('border', c_int32), ('half', c_int32), ('unused', c_int32)]


class Op(Structure):
    """One operation."""

    _fields_ = [(name, c_int32) for name in (
        'source', 'height', 'width', 'channels', 'inputs', 'kernel', 'stride', 'gate', 'flush',
        'repeat', 'adds', 'stores', 'neurons', 'classes')] + [
        ('input', View), ('weights', c_int64), ('scale', c_int64), ('bias', c_int64),
        ('add', Add * MAX_ADDS), ('store', View * MAX_STORES), ('store_border', c_int32),
        ('joined', c_int32), ('neuron', NeuronsOp * MAX_NEURONS), ('mask', View),
        ('confidence', View)]


class StreamMemory(Structure):
    """Memory of one stream."""

    _fields_ = [('spaces', c_void_p * len(SPACES)), ('decays', c_void_p), ('counters', c_void_p),
                ('present', c_int32 * 2)]
