# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Inference where torch is not installed, and without loading it where it is."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from support.no_torch import without_torch
from support.paths import REPOSITORY

from mfs_seg_core.weights.header import SHIPPED

STREAM = """
import json, sys
import numpy as np
from mfs_seg_core import EventWindow, Segmenter
from mfs_seg_core.events.types import Events
from mfs_seg_core.streaming.segmenter import set_threads
set_threads(1)
stream = Segmenter.from_weights('street')
frame = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
events = EventWindow(Events.empty(), 0, 50_000, (346, 260))
results = [stream.step(frame, confidence=True), stream.sibling().step(events=events)]
result = stream.step(frame, 0.05, firing_rate=True, energy=True, events=events)
state = stream.state
stream.reset()
stream.state = state
print(json.dumps([stream.backend, result.mask.tobytes().hex(), result.firing_rate > 0,
                  result.energy_mj > 0, 'torch' in sys.modules]))
"""


def run(code: str, variables: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                          timeout=120, cwd=REPOSITORY, env=variables)


def test_streams_need_no_torch():
    outputs = []
    for variables in (without_torch(), dict(os.environ)):
        done = run(STREAM, variables)
        assert done.returncode == 0, done.stderr
        backend, *rest = json.loads(done.stdout)
        assert backend == 'native' and rest[1:] == [True, True, False]
        outputs.append(rest[0])
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize('arguments, sentence', [
    ("'street', backend='torch'", "the backend 'torch' on cpu needs torch, of the extra 'torch'"),
    ("'street', 'cuda'", "the backend 'auto' on cuda needs torch, of the extra 'torch'"),
    ('WEIGHTS', 'has no program beside it), which needs torch, of the extra')])
def test_what_needs_torch_says_so(arguments, sentence, tmp_path):
    copy = tmp_path / 'copy.safetensors'
    shutil.copy(SHIPPED / 'street.safetensors', copy)
    code = ('from mfs_seg_core import Segmenter\ntry:\n    Segmenter.from_weights('
            + arguments.replace('WEIGHTS', repr(str(copy))) + ')\nexcept ValueError as error:\n'
            '    print(error)\n')
    done = run(code, without_torch())
    assert done.returncode == 0, done.stderr
    assert sentence in done.stdout and done.stdout.count('\n') == 1
    assert 'pip install torch' in done.stdout


def test_without_the_library_and_torch():
    code = ('import mfs_seg_core.engine.library as library\n'
            'library.find_spec = lambda name: None\n'
            'from mfs_seg_core import Segmenter\ntry:\n    Segmenter.from_weights("street")\n'
            'except ValueError as error:\n    print(error)\n')
    done = run(code, without_torch())
    assert 'install a C++ compiler' in done.stdout and 'or run on torch' in done.stdout, done


@pytest.mark.parametrize('arguments, status, text', [
    (['--help'], 0, 'usage: mfs-seg VERB'),
    (['legend', '--weights', 'street', '--output', 'OUT'], 0, ''),
    (['evaluate', '--weights', 'street', '--data', 'street', '--backend', 'native', '--seeds', '1',
      '--frames', '1', '--size', '64', '48', '--json', 'OUT'], 0, 'stream@1'),
    (['profile', '--weights', 'street', '--data', 'street'], 1,
     "profile needs torch, of the extra 'torch': pip install torch"),
    (['train', '--config', str(REPOSITORY / 'config/train/street_fast.yaml')], 1,
     "needs torch, of the extra 'train'")])
def test_verbs(arguments, status, text, tmp_path):
    arguments = [str(tmp_path / 'out.png') if word == 'OUT' else word for word in arguments]
    done = subprocess.run([sys.executable, '-m', 'mfs_seg_core', *arguments], text=True,
                          capture_output=True, timeout=120, cwd=REPOSITORY, env=without_torch())
    assert done.returncode == status, done
    assert text in done.stdout + done.stderr
    assert status == 0 or len(done.stderr.splitlines()) == 1, done.stderr
