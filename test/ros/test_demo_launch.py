# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Launch file of the demo, where launch is installed."""

import subprocess
import sys

import pytest
from support.camera import TIMEOUT_S
from support.launching import LAUNCH
from support.paths import REPOSITORY

from mfs_seg_ros.node.fastdds_environment import local_environment

LAUNCH_FILE = REPOSITORY / 'launch' / 'demo.launch.py'


@pytest.fixture(autouse=True)
def launch_ros():
    """Skip where there is no launch."""
    pytest.importorskip(
        'launch_ros.actions', reason='launch_ros is not installed here: launch was not run')


def run(*arguments: str) -> str:
    """Run the launch file until it ends by itself and return what it prints."""
    return subprocess.run(
        [sys.executable, '-c', LAUNCH, str(LAUNCH_FILE), *arguments], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env=local_environment(), timeout=TIMEOUT_S).stdout


def test_segmenter_and_player_end_with_the_player():
    output = run('seconds:=1', 'rate:=5', 'seed:=3', 'weights:=street')
    assert "weights 'street'" in output
    assert 'frames_sent: 5' in output
    assert output.count('process has finished cleanly') == 2


def test_all_ends_when_the_segmenter_fails():
    output = run('weights:=nosuch')
    assert "no weights 'nosuch'" in output
    assert 'frames_sent: 0' in output
