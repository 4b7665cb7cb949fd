# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several inputs: names of results, processes, tasks of Ray, and parts for job arrays."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin
from support.bags import image, write_bag
from support.masks import contents

from mfs_seg_core.segment.__main__ import main
from mfs_seg_core.segment.inputs import result_names

OPTIONS = ('--masks', '--bag')


@pytest.fixture(scope='module')
def folders(folder, tmp_path_factory) -> list[Path]:
    """Return folders of some images each."""
    root = tmp_path_factory.mktemp('folders')
    found = []
    for number, name in enumerate(('a', 'b', 'c')):
        found.append(root / name / 'images')
        found[-1].mkdir(parents=True)
        for index in range(4):
            shutil.copy(folder / f'frame{4 * number + index}.png', found[-1])
    return found


@pytest.fixture(scope='module')
def one_process(folders, tmp_path_factory) -> dict:
    """Return the results of one process."""
    output = tmp_path_factory.mktemp('one')
    assert main([*map(str, folders), '--output', str(output), *OPTIONS, '--weights', 'street']) == 0
    return contents(output)


def workers_of(pid: int) -> list[int]:
    """Return the processes of the pool of a command."""
    children = map(int, Path(f'/proc/{pid}/task/{pid}/children').read_text().split())
    return [child for child in children
            if b'spawn_main' in Path(f'/proc/{child}/cmdline').read_bytes()]


def test_results_of_equal_names_are_numbered():
    assert result_names(['a/x.mp4', 'b/x.avi', 'x', 'street', 'y.db3.zstd']) == [
        'x', 'x_2', 'x_3', 'street', 'y']


def test_processes_give_the_results_of_one(folders, one_process, label, tmp_path):
    code, lines, errors = label(*folders, tmp_path / 'nothing', '--output', tmp_path, *OPTIONS,
                                '--jobs', 2)
    assert code == 1 and len(errors) == 1 and 'does not exist' in errors[0]
    assert sorted(lines[:-1]) == [f"'{folder}': 4 masks" for folder in folders]
    assert contents(tmp_path) == one_process


def test_a_killed_process_is_one_sentence_and_the_same_command_continues(
        folder, folders, label, tmp_path):
    options = folder, folders[0], '--output', tmp_path / 'out', '--masks', '--jobs', 2
    command = [sys.executable, '-m', 'mfs_seg_core', 'segment', *map(str, options),
               '--weights', 'street']
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / 'out/drive/masks/frame0.png').exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.001)
    for worker in workers_of(process.pid):
        os.kill(worker, signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.startswith('segment: a process was ended, perhaps for lack of memory: run')
    assert 'Traceback' not in errors
    code, lines, errors = label(*options)
    assert (code, errors) == (0, [])
    assert set(lines[:-1]) == {f"'{folder}': 40 masks", f"'{folders[0]}': 4 masks"}


def test_tasks_of_ray_give_the_results_of_one_process(folders, one_process, label, tmp_path):
    pytest.importorskip('ray', reason='ray is not installed: pip install "mfs_seg_ros[fleet]"')
    code, lines, errors = label(*folders, tmp_path / 'nothing', '--output', tmp_path, *OPTIONS,
                                '--ray', '--jobs', 2)
    assert code == 1 and len(errors) == 1 and 'does not exist' in errors[0]
    assert sorted(lines[:-1]) == [f"'{folder}': 4 masks" for folder in folders]
    assert contents(tmp_path) == one_process


def test_shards_share_the_inputs(folders, one_process, label, tmp_path):
    for shard, count in (('1/2', 2), ('2/2', 1)):
        code, lines, _ = label(*folders, '--output', tmp_path, *OPTIONS, '--shard', shard)
        assert code == 0 and len(lines) == count + 1
    assert contents(tmp_path) == one_process


def test_a_folder_of_recordings_is_its_recordings(label, tmp_path):
    (tmp_path / 'drives').mkdir()
    for name, kind in (('b10', StoragePlugin.MCAP), ('b9', StoragePlugin.SQLITE3)):
        pixels = np.zeros((24, 32, 3), np.uint8)
        write_bag(tmp_path / 'drives' / name, {'/image': [(1, image(pixels, 'rgb8', 1))]}, kind)
    (tmp_path / 'drives/notes.txt').write_text('mine')
    code, lines, errors = label(tmp_path / 'drives', '--output', tmp_path / 'out', '--figures')
    assert (code, errors) == (0, [])
    assert [Path(line.split("'")[1]).name for line in lines[:-1]] == ['b9', 'b10']
