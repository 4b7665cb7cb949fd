# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of ``mfs-seg segment``: how a recording is read, segmented and written."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mfs_seg_core.class_groups import find_groups
from mfs_seg_core.weights.header import file_hash, find_weights

# Kinds of output that may be requested.
OUTPUTS = ('masks', 'confidence', 'overlay', 'bag')


@dataclass(frozen=True)
class SegmentSettings:
    """
    Settings that the results of an input depend on.

    :param weights: name or path of the weights.
    :param outputs: requested outputs, some of :data:`OUTPUTS`.
    :param sensors: 'camera', 'events' or 'fusion'; empty: chosen by the input.
    :param backend: 'auto', 'native' or 'torch'.
    :param window_s: seconds of events that are a step.
    :param max_gap_s: longest time in seconds between two steps that keeps the state.
    :param rate_hz: images per second of an input without times; 0: the usual one.
    :param frames: most steps of an input; 0: all.
    :param seed: seed of Street.
    :param image_topic: topic of a bag's images; empty: chosen.
    :param label_topic: topic of a bag's labels; empty: chosen.
    :param event_topic: topic of a bag's events; empty: chosen.
    :param sensor_size: width and height of the event sensor; None: as recorded.
    :param class_groups: name or path of groups that replace the classes; empty: none.
    """

    weights: str
    outputs: tuple[str, ...] = ('masks', 'overlay')
    sensors: str = ''
    backend: str = 'auto'
    window_s: float = 0.05
    max_gap_s: float = 1.0
    rate_hz: float = 0.0
    frames: int = 0
    seed: int = 0
    image_topic: str = ''
    label_topic: str = ''
    event_topic: str = ''
    sensor_size: tuple[int, int] | None = None
    class_groups: str = ''


@dataclass(frozen=True)
class Job:
    """
    One input of a call.

    :param input: path, or another word that names an input.
    :param folder: folder of its results.
    :param settings: settings, which all inputs of a call share.
    """

    input: str
    folder: Path
    settings: SegmentSettings


def identity(job: Job) -> dict[str, Any]:
    """
    Return all that the results of a job depend on, as values for JSON.

    :param job: the job.
    :returns: settings, hashes of weights and class groups, and sizes and times of the input's
        files.
    :raises ValueError: there are no such weights or groups.
    """
    found = asdict(job.settings)
    found['outputs'] = sorted(job.settings.outputs)
    found['sensor_size'] = list(job.settings.sensor_size or ())
    found['weights_sha256'] = file_hash(find_weights(job.settings.weights))
    groups = job.settings.class_groups
    found['class_groups_sha256'] = file_hash(find_groups(groups)) if groups else ''
    return {'input': job.input, **found, 'files': _state(Path(job.input))}


def _state(path: Path) -> str:
    """Return a hash of the names, sizes and times of an input's files; empty without a file."""
    if not path.exists():
        return ''
    files = sorted(path.rglob('*')) if path.is_dir() else [path]
    stats = [(str(file.relative_to(path)), file.stat()) for file in files if file.is_file()]
    listed = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    return hashlib.sha256(repr(listed).encode()).hexdigest()
