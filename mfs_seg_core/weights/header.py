# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights files without their parameters: their paths, metadata and hashes. Needs no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open

from mfs_seg_core.util.text import printable
from mfs_seg_core.weights.metadata import Metadata, decode

FORMAT = 'mfs_seg_core'
VERSION = '2'
# Version 1 has a list of sensors instead of the modality.
READABLE = ('1', VERSION)
SHIPPED = Path(__file__).parent / 'pretrained'
# Bytes of a file's header: hundreds of times the size of ours.
MAX_HEADER = 10_000_000


class WeightsError(ValueError):
    """A weights file is missing, damaged or of another program; the message names the remedy."""


class Header(NamedTuple):
    """
    Header of a weights file.

    :param description: metadata as JSON, as the file has them.
    :param metadata: the same, decoded and valid.
    :param sha256: :func:`content_hash` of the file, as recorded in it; None in early files.
    """

    description: str
    metadata: Metadata
    sha256: str | None


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


def read_header(path: Path) -> Header:
    """
    Read the header of a weights file.

    :param path: path of the file.
    :returns: its metadata and hash.
    :raises WeightsError: the file is damaged, or of another kind or version.
    """
    try:
        check_header_size(path)
        with safe_open(path, framework='numpy') as file:
            return header_of(path, file)
    except (SafetensorError, OSError, MemoryError) as error:
        raise unreadable(path, error) from None


def header_of(path: Path, file: safe_open) -> Header:
    """
    Return the header of an open weights file.

    :param path: its path, for messages.
    :param file: the file.
    :returns: its metadata and hash.
    :raises WeightsError: the file is of another kind or version, or its metadata are invalid.
    """
    fields = file.metadata() or {}
    if fields.get('format') != FORMAT:
        raise WeightsError(f'{path} is not a weights file of mfs_seg_core: '
                           'train one with mfs-seg train')
    if fields.get('version') not in READABLE:
        version = printable(fields.get('version', ''))
        raise WeightsError(f"{path} has version '{version}', this mfs_seg_core reads "
                           f'{" and ".join(READABLE)}: update mfs_seg_ros, or train the weights '
                           'again')
    description = fields.get('description', '')
    try:
        return Header(description, decode(description), fields.get('sha256'))
    except ValueError as error:
        raise WeightsError(f'the description in {path} is incomplete or damaged ({error}): '
                           'fetch or train it again') from None


def check_header_size(path: Path) -> None:
    """Reject a header that would fill the memory; the file starts with its length."""
    with path.open('rb') as file:
        length = int.from_bytes(file.read(8), 'little')
    if length > MAX_HEADER:
        raise WeightsError(f'{path} cannot be read as safetensors (a header of {length} bytes): '
                           'fetch or train it again')


def unreadable(path: Path, error: Exception) -> WeightsError:
    """Return the error of a file that is no valid safetensors file."""
    return WeightsError(f'{path} cannot be read as safetensors ({error}): fetch or train it again')


def content_hash(description: str, tensors: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of a description and of tensors, their names and shapes, as hex."""
    digest = hashlib.sha256(description.encode())
    for name, tensor in sorted(tensors.items()):
        # The names of types are those of torch, with which files are written.
        digest.update(f'\n{name} torch.{tensor.dtype} {list(tensor.shape)}\n'.encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()


def file_hash(path: str | Path) -> str:
    """Return the SHA-256 of a file, as hex."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
