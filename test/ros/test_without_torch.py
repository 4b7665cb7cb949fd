# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node where torch is not installed, and without loading it where it is."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.camera import MODULE, Camera, coarse_image, same
from support.no_torch import without_torch

from mfs_seg_core.weights.header import SHIPPED
from mfs_seg_ros.tools.processes import Children

# MiB of a node with the weights `street_lite` at the size of their training, 240x180.
MAX_MEMORY = 200


@pytest.fixture(params=['installed', 'missing'])
def processes(request, environment, tmp_path):
    """Start processes with torch, and without it."""
    variables = environment if request.param == 'installed' else without_torch(environment)
    with Children(tmp_path, variables) as started:
        yield started


def test_the_node_runs_without_torch(processes):
    processes.start('segmenter', MODULE, {})
    camera = Camera('/mfs_seg')
    camera.wait_for_segmenter()
    first = camera.ask(coarse_image(5))
    assert first['mask'].shape[0] == 32 and not same(camera.ask(coarse_image(5)), first)
    process = Path('/proc') / str(processes.pid('segmenter'))
    assert 'libtorch' not in (process / 'maps').read_text()
    memory_kb, = re.findall(r'VmRSS:\s+(\d+) kB', (process / 'status').read_text())
    assert int(memory_kb) / 1024 < MAX_MEMORY
    camera.close()
    processes.stop('segmenter')


def test_weights_without_a_program_are_one_sentence(environment, tmp_path):
    copy = tmp_path / 'copy.safetensors'
    shutil.copy(SHIPPED / 'street.safetensors', copy)
    done = subprocess.run([sys.executable, '-m', MODULE, '--ros-args', '-p', f'weights:={copy}'],
                          capture_output=True, text=True, timeout=60,
                          env=without_torch(environment))
    assert done.returncode == 1, done
    said = done.stdout + done.stderr
    assert 'which needs torch, of the extra' in said and 'Traceback' not in said
