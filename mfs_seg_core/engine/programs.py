# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Programs of weights files: stored beside them, or in the cache of the user."""

from __future__ import annotations

import os
from pathlib import Path

from mfs_seg_core.engine.file import (
    SUFFIX,
    VERSION,
    ProgramError,
    load_program,
    save_program,
)
from mfs_seg_core.engine.program import Program
from mfs_seg_core.weights.header import find_weights, read_header
from mfs_seg_core.weights.metadata import Metadata


def find_program(weights: Path) -> tuple[Program, Metadata]:
    """
    Read the program of weights: that beside them, else that in the cache.

    :param weights: path of the weights file.
    :returns: the program and the metadata of the weights.
    :raises WeightsError: the weights file cannot be used.
    :raises ProgramError: there is no program that fits these weights and this version.
    """
    sha256 = read_header(weights).sha256
    if sha256 is None:
        raise ProgramError(f"'{weights}' has no hash, by which it would have a program")
    reason = ProgramError(f"'{weights}' has no program beside it")
    for path in (weights.with_suffix(SUFFIX), _cached(sha256)):
        try:
            return load_program(path, sha256)
        except FileNotFoundError:
            continue
        except ProgramError as error:
            reason = error
    raise reason


def keep_program(weights: Path, program: Program, metadata: Metadata) -> None:
    """
    Write the program of weights to the cache, where it can be written.

    :param weights: path of the weights file.
    :param program: the program.
    :param metadata: metadata of the weights.
    """
    sha256 = read_header(weights).sha256
    if sha256 is None:
        return
    try:
        save_program(_cached(sha256), program, metadata, sha256)
    except OSError:
        # The program is compiled again next time.
        pass


def write_program(weights: str | Path) -> Path:
    """
    Compile weights, and write the program beside them. Needs torch.

    :param weights: path of the weights file, or name of shipped weights.
    :returns: path of the program.
    :raises WeightsError: the weights file cannot be used.
    :raises UnsupportedNetworkError: the engine cannot run the network.
    :raises OSError: the program cannot be written; one sentence.
    """
    # Imported here: all else of this file works without torch.
    from mfs_seg_core.engine.compiler import compile_weights
    from mfs_seg_core.weights.file import load_weights
    path = find_weights(weights)
    network, metadata = load_weights(path)
    program = path.with_suffix(SUFFIX)
    save_program(program, compile_weights(network, metadata), metadata, read_header(path).sha256)
    return program


def _cached(sha256: str) -> Path:
    """Return the path of a program in the cache of the user."""
    folder = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    return Path(folder) / 'mfs_seg' / 'programs' / f'{sha256}-v{VERSION}{SUFFIX}'
