# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Program files with changed numbers, whose hashes are right: as someone could make them."""

import json

import numpy as np
from safetensors.numpy import load, save

from mfs_seg_core.engine.file import KEY, program_bytes
from mfs_seg_core.engine.program import Program
from mfs_seg_core.weights.header import content_hash
from mfs_seg_core.weights.metadata import Metadata

SHA256 = 'a' * 64
NUMBERS = (-1, 0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 64, 127, 128, 255, 256, 4096, 2 ** 31, 2 ** 39)


def content_of(data: bytes) -> dict:
    """Return the JSON of a program file."""
    size = int.from_bytes(data[:8], 'little')
    return json.loads(json.loads(json.loads(data[8:8 + size])['__metadata__'][KEY])['content'])


def signed(content: dict, arrays: dict[str, np.ndarray]) -> bytes:
    """Return a program file of this JSON and these arrays, with a valid hash."""
    text = json.dumps(content)
    return save(arrays, {KEY: json.dumps({'content': text, 'sha256': content_hash(text, arrays)})})


def mutated(program: Program, metadata: Metadata, random: np.random.Generator) -> bytes:
    """Return a program file with one to three changes."""
    data = program_bytes(program, metadata, SHA256)
    content, arrays = content_of(data), load(data)
    for _ in range(random.integers(1, 4)):
        if random.random() < 0.15:
            _change_array(arrays, random)
        else:
            _change_json(content['program'], random)
    return signed(content, arrays)


def _change_array(arrays: dict[str, np.ndarray], random: np.random.Generator) -> None:
    name = str(random.choice(sorted(arrays)))
    array = arrays[name]
    kind = random.integers(4)
    if kind == 0:
        del arrays[name]
    elif kind == 1:
        arrays[name] = np.ascontiguousarray(array[:-1])
    elif kind == 2:
        arrays[name] = array.astype(np.float32 if array.dtype == np.int8 else np.int8)
    else:
        changed = array.copy()
        values = (np.nan, np.inf, -np.inf, 1e38, -1e38, 2.0, -1.0)
        changed.flat[random.integers(array.size)] = (
            random.choice(values) if array.dtype == np.float32 else -128)
        arrays[name] = changed


def _change_json(value: dict, random: np.random.Generator) -> None:
    """Change a number or a text, or the length of a list, at any depth."""
    places = _places(value)
    inside, key = places[random.integers(len(places))]
    old = inside[key]
    if isinstance(old, list):
        if old and random.random() < 0.5:
            del old[random.integers(len(old))]
        else:
            old.append(old[-1] if old else 0)
    elif isinstance(old, bool):
        inside[key] = not old
    elif isinstance(old, int):
        inside[key] = int(random.choice((*NUMBERS, old + 1, old - 1)))
    elif isinstance(old, str):
        inside[key] = str(random.choice(('dense', 'depthwise', 'stem', 'zero', 'tensor', 'past',
                                         'current', 'spikes', 'potential', '', 'x\n')))
    else:
        inside[key] = 0 if old is None else None


def _places(value: dict | list) -> list[tuple[dict | list, str | int]]:
    """Return where all values of JSON are."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    found: list[tuple[dict | list, str | int]] = []
    for key in keys:
        found.append((value, key))
        if isinstance(value[key], (dict, list)):
            found += _places(value[key])
    return found
