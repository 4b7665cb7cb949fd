# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stop signals while a program starts and while it runs, and ``--help``."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rclpy
from support.camera import QUICK, TIMEOUT_S
from support.paths import REPOSITORY

from mfs_seg_ros import player, recorder, segmenter
from mfs_seg_ros.node.parameters import SEGMENTER
from mfs_seg_ros.player import PLAYER
from mfs_seg_ros.recorder import RECORDER

SEGMENTER_COMMANDS = {
    'module': [sys.executable, '-m', 'mfs_seg_ros.segmenter'],
    'executable': [str(REPOSITORY / 'executables' / 'segmenter')],
}


def started(environment, command: list[str], **more: str) -> subprocess.Popen:
    # The executables run the Python that is first in PATH, as in an active environment.
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env=environment | {'PATH': path} | more)


def wait_for_library(process: subprocess.Popen, name: str) -> None:
    """Wait until a process has loaded a shared library."""
    end = time.monotonic() + TIMEOUT_S
    maps = Path(f'/proc/{process.pid}/maps')
    while name not in maps.read_text(errors='replace'):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.01)


def stopped_twice(process: subprocess.Popen, number: signal.Signals) -> str:
    """Send a signal twice, as a terminal and launch do, and return the output."""
    try:
        process.send_signal(number)
        process.send_signal(number)
        return process.communicate(timeout=TIMEOUT_S)[0]
    finally:
        process.kill()
        process.wait()


# Libraries that are loaded before the decoders of events are compiled, which takes seconds, and of
# that compiler.
@pytest.mark.parametrize('command, library, number', [
    ('module', 'cv2.abi3', signal.SIGINT), ('executable', 'cv2.abi3', signal.SIGTERM),
    ('module', 'libllvmlite', signal.SIGINT)])
def test_a_stop_during_the_start_ends_the_process_at_once(
        environment, tmp_path, command, library, number):
    process = started(environment, [
        *SEGMENTER_COMMANDS[command], '--ros-args', '-r', '__ns:=/starting', '-p',
        'sensors:=fusion'], NUMBA_CACHE_DIR=str(tmp_path))
    wait_for_library(process, library)
    output = stopped_twice(process, number)
    # The kernel ended it: it did not reach the end of its start first.
    assert process.returncode == -number
    assert output == ''


@pytest.mark.parametrize('module, arguments, ready', [
    ('segmenter', [part for name, value in {**QUICK, 'sensors': 'camera'}.items()
                   for part in ('-p', f'{name}:={value}')], 'active: '),
    ('player', ['-p', 'wait_for:=1'], 'waiting for'),
])
def test_a_second_stop_is_quiet(environment, module, arguments, ready):
    process = started(environment, [sys.executable, '-m', f'mfs_seg_ros.{module}', '--ros-args',
                                    '-r', '__ns:=/twice', '-p', 'inptu:=x', *arguments])
    lines = []
    for line in process.stdout:
        lines.append(line)
        if ready in line:
            break
    output = ''.join(lines) + stopped_twice(process, signal.SIGINT)
    assert process.returncode == 0, output
    assert 'Traceback' not in output and 'Exception' not in output
    assert "the parameter 'inptu' does not exist and is ignored" in output


def test_a_second_stop_of_a_measurement_is_quiet(environment):
    process = started(environment, [sys.executable, '-m', 'mfs_seg_ros.benchmark.node'])
    children = Path(f'/proc/{process.pid}/task/{process.pid}/children')
    while not children.read_text():
        assert process.poll() is None
        time.sleep(0.01)
    output = stopped_twice(process, signal.SIGINT)
    assert (process.returncode, output) == (130, '')


@pytest.mark.parametrize('module, settings', [
    (segmenter, SEGMENTER), (player, PLAYER), (recorder, RECORDER)])
def test_help_describes_every_parameter(module, settings, capsys):
    before = rclpy.ok()
    assert module.main(['--help']) == 0
    assert rclpy.ok() == before
    output = capsys.readouterr().out
    words = ' '.join(output.split())
    for setting in settings:
        assert f'  {setting.name} (' in output
        assert ' '.join(setting.description.split()) in words
    assert 'weights (string, default street_lite)' in output or module is not segmenter


def test_executables_have_help(environment):
    process = started(environment, [str(REPOSITORY / 'executables' / 'recorder'), '--help'])
    output = process.communicate(timeout=TIMEOUT_S)[0]
    assert process.returncode == 0
    assert output.startswith('usage: recorder [--ros-args ')
