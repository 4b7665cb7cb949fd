# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Distribution of the tests over workers; fixtures of those with real ROS processes."""

import os

import pytest

from mfs_seg_ros.node.fastdds_environment import local_environment
from mfs_seg_ros.tools.processes import Children

# Tests that start nodes run one after the other in one worker of pytest-xdist: they have deadlines,
# and share a ROS domain. Those of other files are distributed by file, for the fixtures of modules.
ROS_GROUP = 'ros'
ROS_FIXTURES = {'environment', 'children'}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Assign each test to a group that is not split between workers."""
    for item in items:
        executable = item.path.parent.name == 'ros'
        starts_nodes = executable or ROS_FIXTURES & set(item.fixturenames)
        group = ROS_GROUP if starts_nodes else str(item.path)
        if not item.get_closest_marker('xdist_group'):
            item.add_marker(pytest.mark.xdist_group(group))


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
