# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The place where an interrupted input continues: number of steps, and state of the network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from mfs_seg_core.streaming.inputs import Potentials
from mfs_seg_core.util.files import write_whole

CHECKPOINT = 'checkpoint.safetensors'


class Checkpoint(NamedTuple):
    """
    State after some steps of an input.

    :param steps: number of steps whose masks are stored.
    :param state: potentials after them; None: rest.
    """

    steps: int = 0
    state: Potentials | None = None


def write_checkpoint(folder: Path, checkpoint: Checkpoint, job: Mapping[str, Any]) -> None:
    """
    Replace the checkpoint in a folder.

    :param folder: folder of the unfinished results.
    :param checkpoint: number of steps, and state.
    :param job: identity of the job.
    :raises OSError: it cannot be written; one sentence.
    """
    state = checkpoint.state or {}
    arrays = {name: np.ascontiguousarray(value) for name, value in state.items()}
    notes = {'steps': str(checkpoint.steps), 'job': json.dumps(job)}
    write_whole(folder / CHECKPOINT, save(arrays, notes))


def read_checkpoint(folder: Path) -> tuple[Checkpoint, dict[str, Any]] | None:
    """
    Read the checkpoint of a folder.

    :param folder: folder of the unfinished results.
    :returns: the checkpoint and the identity of its job; None: there is none.
    :raises ValueError: it is damaged; one sentence.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        with safe_open(path, framework='numpy') as file:
            notes = file.metadata()
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return Checkpoint(int(notes['steps']), state or None), json.loads(notes['job'])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        raise ValueError(f"'{path}' is damaged: remove '{folder.parent}', and segment its input "
                         'again') from None
