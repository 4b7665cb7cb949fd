# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compile a network to a program, whose operations follow the network's own forward pass."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from torch import nn

from mfs_seg_core.engine.compile_lite import LiteCompiler
from mfs_seg_core.engine.compile_mfs_seg import MFSSegCompiler
from mfs_seg_core.engine.layout import NORMALS
from mfs_seg_core.engine.program import Program, UnsupportedNetworkError
from mfs_seg_core.model.lite import LiteSeg
from mfs_seg_core.model.network import MFSSeg, fold_norms
from mfs_seg_core.weights.metadata import Metadata

COMPILERS = {MFSSeg: MFSSegCompiler, LiteSeg: LiteCompiler}


def compile_network(network: nn.Module, mean: tuple[float, ...] | None = None,
                    std: tuple[float, ...] | None = None, half: bool = True) -> Program:
    """
    Compile a network; its norms are folded into the convolutions.

    :param network: the network, which does not change.
    :param mean: mean of the training pixels, in 0..1, for uint8 images; None: the first input is a
        float32 tensor.
    :param std: standard deviation of the training pixels.
    :param half: store membrane potentials in 16 bits: half the memory, which is the limit of most
        processors here.
    :returns: the program.
    :raises UnsupportedNetworkError: the network has a part without an operation.
    """
    compiler = COMPILERS.get(type(network))
    if compiler is None:
        raise UnsupportedNetworkError(f'it is a {type(network).__name__}')
    table = None if mean is None else _pixel_table(mean, std)
    with torch.no_grad():
        return compiler(fold_norms(deepcopy(network)), table).compile(half)


def compile_weights(network: nn.Module, metadata: Metadata) -> Program:
    """
    Compile a network whose input is frames, events or both, as the metadata of its weights say.

    :param network: the network, which does not change.
    :param metadata: metadata of its weights.
    :returns: the program.
    :raises UnsupportedNetworkError: the network has a part without an operation.
    """
    if 'camera' in metadata.sensors:
        return compile_network(network, metadata.mean, metadata.std)
    return compile_network(network)


def _pixel_table(mean: tuple[float, ...], std: tuple[float, ...]) -> np.ndarray:
    """Return mean and standard deviation of pixels 0..255, float32 ``[2, NORMALS]``."""
    return np.stack([np.resize(np.float32(x) * np.float32(255), NORMALS) for x in (mean, std)])
