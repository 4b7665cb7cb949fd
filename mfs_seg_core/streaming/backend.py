# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Choose the backend of a network.

torch is imported where a network runs in it or is compiled, and only there: weights with a program
run without torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mfs_seg_core.engine.file import ProgramError
from mfs_seg_core.engine.library import EngineUnavailableError
from mfs_seg_core.engine.program import UnsupportedNetworkError
from mfs_seg_core.engine.programs import find_program, keep_program
from mfs_seg_core.streaming.backend_interface import Backend
from mfs_seg_core.streaming.native_backend import NativeBackend
from mfs_seg_core.util.extras import missing
from mfs_seg_core.weights.header import find_weights
from mfs_seg_core.weights.metadata import Metadata

if TYPE_CHECKING:
    from mfs_seg_core.model.stateful import Stateful
    from mfs_seg_core.model.unet import UNet

BACKENDS = ('auto', 'native', 'torch')


def network_backend(name: str, network: Stateful | UNet, metadata: Metadata, device: str = 'cpu'
                    ) -> Backend:
    """
    Create a backend of a network.

    :param name: one of :data:`BACKENDS`; 'auto' is native where that is possible.
    :param network: network in evaluation mode, its norms folded.
    :param metadata: metadata of its weights.
    :param device: torch device to run it on.
    :returns: the backend; the description of torch names the reason why it is not native.
    :raises ValueError: there is no such backend, or it was named and cannot run.
    """
    from mfs_seg_core.streaming.torch_backend import TorchBackend
    _check(name)
    if name == 'torch':
        return TorchBackend(network, metadata, device)
    try:
        if _kind(device) != 'cpu':
            raise UnsupportedNetworkError(f'it is on {device}, and the native engine runs on cpu')
        from mfs_seg_core.engine.compiler import compile_weights
        return NativeBackend(compile_weights(network, metadata), metadata)
    except UnsupportedNetworkError as error:
        reason = f'the native engine cannot run this network: {error}'
    except EngineUnavailableError as error:
        reason = str(error)
    if name == 'native':
        raise ValueError(f"{reason}; or choose the backend 'auto' or 'torch'")
    backend = TorchBackend(network, metadata, device)
    backend.description += f' ({reason})'
    return backend


def weights_backend(name: str, path_or_name: str | Path, device: str = 'cpu') -> Backend:
    """
    Create a backend of weights: from their program, or from their parameters, with torch.

    A program that had to be compiled is written to the cache.

    :param name: one of :data:`BACKENDS`.
    :param path_or_name: path of a weights file, or name of shipped weights.
    :param device: torch device to run the network on.
    :returns: the backend.
    :raises WeightsError: the weights cannot be used.
    :raises ValueError: there is no such backend, it was named and cannot run, or it needs torch,
        which is not installed.
    """
    _check(name)
    path = find_weights(path_or_name)
    reason = f'the backend {name!r} on {device} needs'
    if name != 'torch' and _kind(device) == 'cpu':
        try:
            return NativeBackend(*find_program(path))
        except ProgramError as error:
            reason = f'the weights must be compiled ({error}), which needs'
        except EngineUnavailableError as error:
            reason = f'{error}; or run on'
    try:
        from mfs_seg_core.model.network import fold_norms
        from mfs_seg_core.weights.file import load_weights
    except ImportError as error:
        raise ValueError(f'{reason} {missing(error.name or "torch")}') from None
    network, metadata = load_weights(path)
    backend = network_backend(name, fold_norms(network), metadata, device)
    if isinstance(backend, NativeBackend):
        keep_program(path, backend.program, metadata)
    return backend


def _check(name: str) -> None:
    if name not in BACKENDS:
        raise ValueError(f'no backend {name!r}: choose from {", ".join(BACKENDS)}')


def _kind(device: str) -> str:
    return device.partition(':')[0]
