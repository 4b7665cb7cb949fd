# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command mfs-seg evaluate: a run on Street, and wrong command lines."""

import json
import subprocess
import sys

import pytest

from mfs_seg_core.evaluate.__main__ import main


def test_evaluate_street(weights, tmp_path):
    path = tmp_path / 'out' / 'street.json'
    done = subprocess.run(
        [sys.executable, '-m', 'mfs_seg_core.evaluate', '--weights', weights, '--data', 'street',
         '--camera', 'dim', '--seeds', '2', '--frames', '3', '--steps', '2', '--size', '48', '40',
         '--json', path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert 'mIoU (global)' in done.stdout and 'Bicyclist' in done.stdout
    result = json.loads(path.read_text())
    assert result['frames'] == 6 and result['camera'] == 'dim'
    assert result['input_size'] == [48, 40]
    assert all(0 <= result[mode]['miou'] < 0.5 for mode in ('reset@1', 'repeat@2', 'stream@1'))
    assert result['reset@1'] != result['repeat@2'] != result['stream@1']


@pytest.mark.parametrize('arguments, message', [
    (('--weights', 'nowhere', '--data', 'street'), 'no weights'),
    (('--weights', 'W', '--data', 'camvid'), 'add --root DIR'),
    (('--weights', 'W', '--data', 'camvid', '--root', 'nowhere'), 'val.txt is missing'),
    (('--weights', 'W', '--data', 'street', '--seeds', '0'), 'no frame to evaluate'),
    (('--weights', 'W', '--data', 'street', '--rate', '0'), 'frames per second, above 0'),
    (('--weights', 'W', '--data', 'street', '--steps', '0'), 'give 1 or more'),
    (('--weights', 'W', '--data', 'street', '--size', '8', '8'), 'must be at least 32x32')])
def test_wrong_command_lines(weights, arguments, message, capsys):
    assert main([str(weights) if each == 'W' else each for each in arguments]) == 1
    error = capsys.readouterr().err
    assert message in error and len(error.splitlines()) == 1
