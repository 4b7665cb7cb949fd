# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests with real ROS processes share."""

import os

import pytest

from mfs_seg_ros.node.fastdds_environment import local_environment
from mfs_seg_ros.tools.processes import Children


@pytest.fixture(scope='module')
def environment():
    """Put this process and its children into one environment of their own."""
    # Not above: the core's tests run where there is no ROS.
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
    """Start processes; none stays behind."""
    with Children(tmp_path_factory.mktemp('logs'), environment) as started:
        yield started
