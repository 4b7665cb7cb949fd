# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Weights files: safetensors files of parameters, with all metadata that inference needs.

safetensors files hold plain numbers only: opening one never runs code from it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from mfs_seg_core.model.config import Config
from mfs_seg_core.model.lite import LiteSeg
from mfs_seg_core.model.lite_config import LiteConfig
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.model.unet import UNet
from mfs_seg_core.model.unet_config import UNetConfig
from mfs_seg_core.util.files import write_whole
from mfs_seg_core.util.text import printable
from mfs_seg_core.weights.header import (
    FORMAT,
    VERSION,
    WeightsError,
    check_header_size,
    content_hash,
    find_weights,
    header_of,
    unreadable,
)
from mfs_seg_core.weights.metadata import Metadata, encode

# Names of dtypes in safetensors.
DTYPES = {torch.float32: 'F32', torch.int64: 'I64'}
# Networks by the type of their configuration.
NETWORKS = {Config: MFSSeg, LiteConfig: LiteSeg, UNetConfig: UNet}


def build(config: Config | LiteConfig | UNetConfig) -> MFSSeg | LiteSeg | UNet:
    """Return an untrained network of this configuration."""
    return NETWORKS[type(config)](config)


def save_weights(path: str | Path, network: MFSSeg | LiteSeg | UNet, metadata: Metadata) -> None:
    """Write the network's parameters and their metadata to a file, whole or not at all."""
    tensors = {name: tensor.detach().cpu().contiguous()
               for name, tensor in network.state_dict().items()}
    text = encode(metadata)
    sha256 = content_hash(text, {name: tensor.numpy() for name, tensor in tensors.items()})
    data = save(tensors, {'format': FORMAT, 'version': VERSION, 'description': text,
                          'sha256': sha256})
    write_whole(Path(path), data)


def load_weights(path_or_name: str | Path) -> tuple[MFSSeg | LiteSeg | UNet, Metadata]:
    """
    Read a weights file into a new network in evaluation mode, on the CPU.

    The network is created only after the tensors of the file are found to fit its description, so
    no description can use more memory than the file has bytes.

    :param path_or_name: path of the file, or name of shipped weights.
    :returns: the network and the metadata of its weights.
    :raises WeightsError: the file is missing, damaged, of another kind or version, or does not fit
        the network that it describes.
    """
    path = find_weights(path_or_name)
    try:
        check_header_size(path)
        with safe_open(path, framework='numpy') as file:
            header = header_of(path, file)
            _check_shapes(path, file, header.metadata.config)
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError, MemoryError) as error:
        raise unreadable(path, error) from None
    # Early files have none.
    if header.sha256 not in (None, content_hash(header.description, tensors)):
        raise WeightsError(f'{path} is damaged, its content does not match its SHA-256: '
                           'fetch or train it again')
    if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
        raise WeightsError(f'{path} holds numbers that are not finite: fetch or train it again')
    network = build(header.metadata.config)
    network.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors.items()})
    return network.eval(), header.metadata


def _check_shapes(path: Path, file: safe_open, config: Config | LiteConfig | UNetConfig) -> None:
    """Raise WeightsError unless the file holds exactly the tensors of such a network."""
    try:
        # On the meta device tensors have shapes, but take no memory.
        with torch.device('meta'):
            expected = build(config).state_dict()
    except (ValueError, RuntimeError) as error:
        raise WeightsError(f'{path} describes an impossible network '
                           f'({str(error).splitlines()[0]}): fetch or train it again') from None
    for name in sorted({*file.keys()} | {*expected}):
        found = _shape(file.get_slice(name)) if name in file.keys() else 'missing'
        wanted = (f'{DTYPES[expected[name].dtype]} {list(expected[name].shape)}'
                  if name in expected else 'none')
        if found != wanted:
            raise WeightsError(f'the tensors in {path} do not fit the network it describes '
                               f'({printable(name)} is {found}, and should be {wanted}): '
                               'fetch or train it again')


def _shape(tensor) -> str:
    return f'{tensor.get_dtype()} {tensor.get_shape()}'
