# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Program files: a compiled network with the metadata of its weights, as safetensors.

The constants are tensors; everything else is JSON in the header, under one key, as safetensors
writes several in any order: a program has one file, byte for byte. Its constants are in the order
of the compiler, not of the kernels, so that it runs on every processor.

A file names the weights that it was compiled from by their hash, and has a hash of its own
content. A program of other weights or of another version is rejected, and each number is checked
before C++ uses it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from mfs_seg_core.engine.program import Cost, Neurons, Operation, Plane, Program
from mfs_seg_core.engine.validate import check_program
from mfs_seg_core.util.files import write_whole
from mfs_seg_core.util.text import printable
from mfs_seg_core.weights.header import content_hash
from mfs_seg_core.weights.metadata import Metadata, decode, encode

FORMAT = 'mfs_seg_program'
# Of the file and of the compiler: another one whenever the same weights make another program.
VERSION = 1
SUFFIX = '.program'
KEY = 'program'
# Bytes of a file: many times the size of ours.
MAX_BYTES = 1 << 30
# Bytes of the planes of a stream at the size of the training images.
MAX_MEMORY = 1 << 32
ARRAYS = ('np.ndarray', 'np.ndarray | None')


class ProgramError(ValueError):
    """A program file cannot be used; the message names the reason and the remedy."""


def save_program(path: Path, program: Program, metadata: Metadata, weights_sha256: str) -> None:
    """
    Write a program file, whole or not at all.

    :param path: path of the file.
    :param program: the program.
    :param metadata: metadata of the weights that it was compiled from.
    :param weights_sha256: hash that the weights file has recorded.
    :raises OSError: the file cannot be written; one sentence.
    """
    write_whole(path, program_bytes(program, metadata, weights_sha256))


def program_bytes(program: Program, metadata: Metadata, weights_sha256: str) -> bytes:
    """Return the content of a program file; the parameters are those of :func:`save_program`."""
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps({'format': FORMAT, 'version': VERSION, 'weights_sha256': weights_sha256,
                       'description': encode(metadata), 'program': _plain(program, '', arrays)})
    header = json.dumps({'content': text, 'sha256': content_hash(text, arrays)})
    return save(arrays, {KEY: header})


def load_program(path: Path, weights_sha256: str) -> tuple[Program, Metadata]:
    """
    Read a program file.

    :param path: path of the file.
    :param weights_sha256: hash of the weights that are to run.
    :returns: the program and the metadata of its weights.
    :raises FileNotFoundError: there is no such file.
    :raises ProgramError: the file is damaged, of another version, or of other weights.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ValueError(f'it has {size} bytes')
        with safe_open(path, framework='numpy') as file:
            header = json.loads((file.metadata() or {})[KEY])
            content = json.loads(header['content'])
            if content['format'] != FORMAT:
                raise ValueError('its format is not known')
            _check_version(path, content, weights_sha256)
            arrays = {name: file.get_tensor(name) for name in file.keys()}
        if header['sha256'] != content_hash(header['content'], arrays):
            raise ValueError('its content does not match its SHA-256')
        program = _object(Program, content['program'], '', arrays)
        metadata = decode(content['description'])
        check_program(program)
        _check_metadata(program, metadata)
    except (ProgramError, FileNotFoundError):
        raise
    # RecursionError: deeply nested lists.
    except (ValueError, KeyError, TypeError, AttributeError, SafetensorError, OSError, MemoryError,
            RecursionError) as error:
        reason = printable(str(error) if type(error) is ValueError else repr(error))
        raise ProgramError(f"'{path}' is no valid program of weights ({reason}): delete it, or "
                           'fetch it again') from None
    return program, metadata


def _check_version(path: Path, content: dict[str, Any], weights_sha256: str) -> None:
    if content['version'] != VERSION:
        raise ProgramError(f"'{path}' has version {printable(str(content['version']))}, this "
                           f'mfs_seg_core runs {VERSION}: delete it, or fetch it again')
    if content['weights_sha256'] != weights_sha256:
        raise ProgramError(f"'{path}' was compiled from other weights: delete it, or fetch it with "
                           'its weights')


def _check_metadata(program: Program, metadata: Metadata) -> None:
    """Raise ValueError unless a program fits the metadata of its weights."""
    config = metadata.config
    pixels = program.operations[0].source == 'pixels'
    if (program.inputs != (config.inputs, config.events) or program.classes != config.classes
            or pixels != ('camera' in metadata.sensors)):
        raise ValueError('it is of another network than its metadata describe')
    width, height = metadata.input_size
    elements = sum((width / 2 ** plane.level + 2 * plane.border)
                   * (height / 2 ** plane.level + 2 * plane.border) * plane.pixel
                   for plane in program.planes)
    if 4 * elements > MAX_MEMORY:
        raise ValueError('it needs more memory than any network')


# Dataclasses as JSON and arrays.

def _plain(value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
    """Return a value as JSON can hold it; arrays in it go to ``arrays``, by their place."""
    if isinstance(value, np.ndarray):
        arrays[place] = np.ascontiguousarray(value)
        return None
    if isinstance(value, (list, tuple)):
        return [_plain(item, f'{place}.{index}', arrays) for index, item in enumerate(value)]
    if isinstance(value, (Program, Plane, Operation, Neurons, Cost)):
        return {field.name: _plain(getattr(value, field.name), f'{place}.{field.name}', arrays)
                for field in fields(value)}
    return value


def _object(kind: type, value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
    """Return a dataclass from JSON and arrays; raises ValueError for a value of another type."""
    if not isinstance(value, dict) or value.keys() != {field.name for field in fields(kind)}:
        raise ValueError(f'the fields of {kind.__name__}{place} are others')
    given = {}
    for field in fields(kind):
        where = f'{place}.{field.name}'
        # The annotations are texts.
        if field.type in ARRAYS:
            given[field.name] = arrays.get(where)
            if given[field.name] is None and field.type == 'np.ndarray':
                raise ValueError(f'{where} is missing')
        else:
            given[field.name] = READERS[field.type](value[field.name], where, arrays)
    return kind(**given)


def _exactly(kind: type) -> Callable[..., Any]:
    def read(value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
        # True is an int too.
        if type(value) is not kind or kind is int and abs(value) >= 1 << 40:
            raise ValueError(f'{place} is wrong')
        return value
    return read


def _optional(read: Callable[..., Any]) -> Callable[..., Any]:
    return lambda value, place, arrays: None if value is None else read(value, place, arrays)


def _sequence(kind: type, *items: Callable[..., Any], every: bool = True) -> Callable[..., Any]:
    """Return a reader of rows: of any length with one reader, else one reader for each item."""
    def read(value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
        if not isinstance(value, list) or not every and len(value) != len(items):
            raise ValueError(f'{place} is wrong')
        readers = items * len(value) if every else items
        return kind(read_item(item, f'{place}.{index}', arrays)
                    for index, (read_item, item) in enumerate(zip(readers, value)))
    return read


def _dataclass(kind: type) -> Callable[..., Any]:
    return lambda value, place, arrays: _object(kind, value, place, arrays)


_int, _bool = _exactly(int), _exactly(bool)
# By the annotation of a field.
READERS: dict[str, Callable[..., Any]] = {
    'int': _int,
    'bool': _bool,
    'str': _exactly(str),
    'int | None': _optional(_int),
    'tuple[int, ...]': _sequence(tuple, _int),
    'tuple[int, int]': _sequence(tuple, _int, _int, every=False),
    'list[int]': _sequence(list, _int),
    'list[tuple[int, bool]]': _sequence(list, _sequence(tuple, _int, _bool, every=False)),
    'list[Plane]': _sequence(list, _dataclass(Plane)),
    'list[Operation]': _sequence(list, _dataclass(Operation)),
    'list[Neurons]': _sequence(list, _dataclass(Neurons)),
    'list[Cost]': _sequence(list, _dataclass(Cost)),
}
