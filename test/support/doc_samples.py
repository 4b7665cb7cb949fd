# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small files for the commands of the documentation, all of them generated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from mfs_seg_core.events.recordings import open_recording
from mfs_seg_core.events.types import concatenate
from support.bags import ROS1, event_array, write_bag
from support.camvid_tree import write_camvid
from support.event_files import text
from support.own_data import write_folder
from support.paths import CONFIG, REPOSITORY

# Settings that make a training run a matter of seconds.
SHORT = {'epochs': 1, 'sequences': 4, 'length': 2, 'batch_size': 2, 'validate_every': 1}
SECONDS = 1
CHUNK = 2000


def write_samples(folder: Path) -> None:
    """
    Write a recording of each kind, a CamVid tree, own data, and short training runs.

    :param folder: new folder.
    """
    subprocess.run([sys.executable, str(REPOSITORY / 'examples/street_recording.py'), str(folder),
                    str(SECONDS)], check=True)
    recording = open_recording(folder / 'drive.raw')
    events = concatenate(list(recording))
    (folder / 'events.csv').write_bytes(text(events, '{x},{y},{p},{t}'))
    (folder / 'events_ns.txt').write_bytes(text(events, '{x} {y} {p} {ns}'))
    few = events.where(slice(0, 4 * CHUNK))
    write_bag(folder / 'slider', {'/dvs/events': [
        (int(part.t[0]) * 1000, event_array(part, recording.size, int(part.t[0]) * 1000, ROS1))
        for start in range(0, few.count, CHUNK)
        for part in [few.where(slice(start, start + CHUNK))]]}, ROS1)
    for split in ('train', 'val'):
        write_camvid(folder / 'camvid', split, 4)
    write_folder(folder / 'own', [f'a{index}' for index in range(5)], more='split: 0.2')
    for path in CONFIG.glob('train/*.yaml'):
        short = folder / 'train' / path.name
        short.parent.mkdir(exist_ok=True)
        short.write_text(yaml.safe_dump(yaml.safe_load(path.read_text('utf-8')) | SHORT))
