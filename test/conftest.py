# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Distribution of the tests over workers; fixtures of those with real ROS processes."""

import os
import re
from functools import cache
from pathlib import Path

import pytest

from mfs_seg_ros.node.fastdds_environment import local_environment
from mfs_seg_ros.tools.processes import Children

# What a test file contains that starts nodes.
STARTS_NODES = re.compile(r'\b(environment|children|subprocess)\b')


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """
    Distribute the tests by file, for the fixtures of modules.

    All files that start nodes are for one worker, one after the other: they have deadlines, and
    share a ROS domain.
    """
    from xdist.scheduler import LoadScopeScheduling

    class FileScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split('::')[0]
            return 'nodes' if starts_nodes(config.rootpath / file) else file

    return FileScheduling(config, log)


@cache
def starts_nodes(file: Path) -> bool:
    """Return whether the tests of a file start ROS nodes."""
    return 'ros' in file.parts and bool(STARTS_NODES.search(file.read_text(encoding='utf-8')))


@pytest.fixture(scope='module')
def environment():
    """Set up an environment for this process and its children, with a ROS domain of its own."""
    # Imported here: the tests of the core run without ROS.
    import rclpy

    before = dict(os.environ)
    os.environ.update(local_environment())
    rclpy.init()
    yield dict(os.environ)
    rclpy.shutdown()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope='module')
def children(environment, tmp_path_factory):
    """Start processes, which all end with the module."""
    with Children(tmp_path_factory.mktemp('logs'), environment) as started:
        yield started
