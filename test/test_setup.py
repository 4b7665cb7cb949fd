# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""scripts/setup.sh: when .venv stays, and when it is made anew."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from support.paths import REPOSITORY

VENV = Path(sys.prefix)
pytestmark = pytest.mark.skipif(
    not (VENV / 'distribution').is_file(),
    reason='scripts/setup.sh did not install ROS 2 from PyPI here: it was not run')

# The disk is full: set-up that starts ends before it removes the environment of these tests.
FULL_DISK = "printf 'header\\ndisk 1 1 0 100%% /\\n'"
NO_NEWER_FILES = 'exit 0'
OTHER_PYTHON = 'case "$*" in *rclpy*) exit 1;; --version) echo Python 3.10.99;; *) echo "$0";; esac'


def program(path: Path, commands: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\n{commands}\n')
    path.chmod(0o755)


def ros(folder: Path) -> None:
    (folder / 'rclpy').mkdir(parents=True)
    (folder / 'rclpy' / '__init__.py').touch()


def set_up(folder: Path, *first: Path, **variables: str) -> subprocess.CompletedProcess:
    """Run set-up with some folders first in PATH, and print the Python that it leaves."""
    program(folder / 'bin' / 'df', FULL_DISK)
    program(folder / 'bin' / 'find', NO_NEWER_FILES)
    path = os.pathsep.join([str(folder / 'bin'), *map(str, first), os.environ['PATH']])
    environment = {**os.environ, 'MFS_SEG_VENV': str(VENV), 'PATH': path,
                   'ROS_DISTRO': (VENV / 'distribution').read_text().strip(), **variables}
    environment.pop('PYTHON', None)
    return subprocess.run(
        ['bash', '-c', f'. {REPOSITORY}/scripts/setup.sh; command -v python'], env=environment,
        capture_output=True, text=True, timeout=60)


def test_another_python_in_the_shell_changes_nothing(tmp_path):
    program(tmp_path / 'other' / 'python3', OTHER_PYTHON)
    done = set_up(tmp_path, tmp_path / 'other')
    assert done.stdout.split() == [str(VENV / 'bin' / 'python')], done.stderr


def test_the_active_environment_of_another_checkout_is_no_sourced_ros(tmp_path):
    other = tmp_path / 'other'
    venv.create(other, symlinks=True)
    ros(next(other.glob('lib/python*/site-packages')))
    done = set_up(tmp_path, other / 'bin')
    assert done.stdout.split() == [str(VENV / 'bin' / 'python')], done.stderr


def test_a_sourced_ros_needs_another_environment(tmp_path):
    ros(tmp_path / 'ros')
    done = set_up(tmp_path, PYTHONPATH=str(tmp_path / 'ros'))
    assert done.returncode == 1
    assert done.stdout.startswith('Setting up;')
    assert 'less than 6 GB are free' in done.stderr
    assert (VENV / 'stamp').is_file()
