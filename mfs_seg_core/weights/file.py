# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Weights files: safetensors files of parameters, with all metadata that inference needs.

safetensors files hold plain numbers only: opening one never runs code from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from mfs_seg_core.model.config import Config
from mfs_seg_core.model.lite import LiteSeg
from mfs_seg_core.model.lite_config import LiteConfig
from mfs_seg_core.model.network import MFSSeg
from mfs_seg_core.model.unet import UNet, UNetConfig
from mfs_seg_core.util.files import write_whole
from mfs_seg_core.util.text import printable
from mfs_seg_core.weights.metadata import Metadata, decode, encode

FORMAT = 'mfs_seg_core'
VERSION = '2'
# Version 1 has a list of sensors instead of the modality.
READABLE = ('1', VERSION)
SHIPPED = Path(__file__).parent / 'pretrained'
# Bytes of a file's header: hundreds of times the size of ours.
MAX_HEADER = 10_000_000
# Names of dtypes in safetensors.
DTYPES = {torch.float32: 'F32', torch.int64: 'I64'}
# Networks by the type of their configuration.
NETWORKS = {Config: MFSSeg, LiteConfig: LiteSeg, UNetConfig: UNet}


class WeightsError(ValueError):
    """A weights file is missing, damaged or of another program; the message names the remedy."""


def build(config: Config | LiteConfig | UNetConfig) -> MFSSeg | LiteSeg | UNet:
    """Return an untrained network of this configuration."""
    return NETWORKS[type(config)](config)


def save_weights(path: str | Path, network: MFSSeg | LiteSeg | UNet, metadata: Metadata) -> None:
    """Write the network's parameters and their metadata to a file, whole or not at all."""
    tensors = {name: tensor.detach().cpu().contiguous()
               for name, tensor in network.state_dict().items()}
    text = encode(metadata)
    data = save(tensors, {'format': FORMAT, 'version': VERSION, 'description': text,
                          'sha256': content_hash(text, tensors)})
    write_whole(Path(path), data)


def find_weights(path_or_name: str | Path) -> Path:
    """
    Return the path of a weights file.

    :param path_or_name: path of the file, or name of shipped weights.
    :returns: path of an existing file.
    :raises WeightsError: there is no such file.
    """
    path = Path(path_or_name)
    shown = f"'{printable(str(path_or_name))}'"
    try:
        if path.is_file():
            return path
        shipped = SHIPPED / f'{path_or_name}.safetensors'
        if path.name == str(path_or_name) and shipped.is_file():
            return shipped
    except OSError as error:
        raise WeightsError(f'no weights {shown} ({error.strerror}): give a path that can be read'
                           ) from None
    names = ', '.join(sorted(p.stem for p in SHIPPED.glob('*.safetensors'))) or 'none'
    raise WeightsError(f'no weights {shown}: give the path of a .safetensors file or '
                       f'the name of shipped weights ({names})')


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
        _check_header(path)
        with safe_open(path, framework='pt') as file:
            header = file.metadata() or {}
            metadata = _metadata(path, header)
            _check_shapes(path, file, metadata.config)
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError, MemoryError) as error:
        raise WeightsError(f'{path} cannot be read as safetensors ({error}): '
                           'fetch or train it again') from None
    # Early files have none.
    expected = header.get('sha256')
    if expected is not None and expected != content_hash(header['description'], tensors):
        raise WeightsError(f'{path} is damaged, its content does not match its SHA-256: '
                           'fetch or train it again')
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise WeightsError(f'{path} holds numbers that are not finite: fetch or train it again')
    network = build(metadata.config)
    network.load_state_dict(tensors)
    return network.eval(), metadata


def content_hash(description: str, tensors: Mapping[str, torch.Tensor]) -> str:
    """Return the SHA-256 of a description and of tensors, their names and shapes, as hex."""
    digest = hashlib.sha256(description.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f'\n{name} {tensor.dtype} {list(tensor.shape)}\n'.encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def file_hash(path: str | Path) -> str:
    """Return the SHA-256 of a file, as hex."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _check_header(path: Path) -> None:
    """Reject a header that would fill the memory; the file starts with its length."""
    with path.open('rb') as file:
        length = int.from_bytes(file.read(8), 'little')
    if length > MAX_HEADER:
        raise WeightsError(f'{path} cannot be read as safetensors (a header of {length} bytes): '
                           'fetch or train it again')


def _metadata(path: Path, header: dict[str, str]) -> Metadata:
    if header.get('format') != FORMAT:
        raise WeightsError(f'{path} is not a weights file of mfs_seg_core: '
                           'train one with mfs-seg train')
    if header.get('version') not in READABLE:
        version = printable(header.get('version', ''))
        raise WeightsError(f"{path} has version '{version}', this mfs_seg_core reads "
                           f'{" and ".join(READABLE)}: update mfs_seg_ros, or train the weights '
                           'again')
    try:
        return decode(header.get('description', ''))
    except ValueError as error:
        raise WeightsError(f'the description in {path} is incomplete or damaged ({error}): '
                           'fetch or train it again') from None


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
