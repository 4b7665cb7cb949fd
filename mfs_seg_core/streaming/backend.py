# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choose the backend of a network."""

from __future__ import annotations

import torch

from mfs_seg_core.engine.compiler import UnsupportedNetworkError
from mfs_seg_core.engine.library import EngineUnavailableError
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.model.unet import UNet
from mfs_seg_core.streaming.backend_interface import Backend
from mfs_seg_core.streaming.native_backend import NativeBackend
from mfs_seg_core.streaming.torch_backend import TorchBackend
from mfs_seg_core.weights.metadata import Metadata

BACKENDS = ('auto', 'native', 'torch')


def make_backend(name: str, network: MFSSeg | UNet, metadata: Metadata, device: torch.device
                 ) -> Backend:
    """
    Create a backend.

    :param name: one of :data:`BACKENDS`; 'auto' is native where that is possible.
    :param network: network on the device, in evaluation mode, its norms folded.
    :param metadata: description of its weights.
    :param device: device of the network.
    :returns: the backend; the description of torch names the reason why it is not native.
    :raises ValueError: there is no such backend, or it was named and cannot run.
    """
    if name not in BACKENDS:
        raise ValueError(f'no backend {name!r}: choose from {", ".join(BACKENDS)}')
    if name == 'torch':
        return TorchBackend(network, metadata, device)
    try:
        if device.type != 'cpu':
            raise UnsupportedNetworkError(f'it is on {device}, and the native engine runs on cpu')
        return NativeBackend(network, metadata)
    except UnsupportedNetworkError as error:
        reason = f'the native engine cannot run this network: {error}'
    except EngineUnavailableError as error:
        reason = str(error)
    if name == 'native':
        raise ValueError(f"{reason}; or choose the backend 'auto' or 'torch'")
    backend = TorchBackend(network, metadata, device)
    backend.description += f' ({reason})'
    return backend
