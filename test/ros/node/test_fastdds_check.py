# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Warning about transports of Fast DDS that drop images, by the memory that is in use."""

import subprocess
import sys

import pytest

from mfs_seg_ros.node.fastdds_check import LARGE_DATA, LEAST_BYTES, transport_warning
from mfs_seg_ros.node.fastdds_environment import (
    PROFILE_VARIABLES,
    local_environment,
    profile_path,
)

FASTDDS = 'rmw_fastrtps_cpp'


@pytest.mark.parametrize('rmw, size, warned', [
    (FASTDDS, 512 << 10, 'only 512 KiB of shared memory here: '),
    ('rmw_fastrtps_dynamic_cpp', 0, 'no shared memory here: '),
    (FASTDDS, LEAST_BYTES, None), (FASTDDS, None, None), ('rmw_cyclonedds_cpp', 0, None),
    ('rmw_zenoh_cpp', 0, None)])
def test_too_little_memory_is_told(rmw, size, warned):
    warning = transport_warning(rmw, {}, size)
    assert warned in warning if warned else warning is None


# Prints the warning of a node.
WARNING = """
import os, rclpy
from mfs_seg_ros.node.fastdds_check import segment_bytes, transport_warning
rclpy.init()
node = rclpy.create_node('checked')
print(transport_warning(rclpy.utilities.get_rmw_implementation_identifier(), os.environ,
                        segment_bytes()))
node.destroy_node()
rclpy.shutdown()
"""


@pytest.mark.parametrize('variables, warned', [
    # No discovery: these have no profile that keeps the traffic on this machine.
    ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'OFF'}, 'only 5'),
    ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'OFF', 'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4'},
     'no shared memory'),
    ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'OFF', 'FASTDDS_BUILTIN_TRANSPORTS': 'LARGE_DATA'},
     'only 5'),
    ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'OFF', 'FASTDDS_BUILTIN_TRANSPORTS': LARGE_DATA}, None),
    ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'FASTDDS_BUILTIN_TRANSPORTS': LARGE_DATA},
     'ROS_AUTOMATIC_DISCOVERY_RANGE overrules FASTDDS_BUILTIN_TRANSPORTS'),
    (dict.fromkeys(PROFILE_VARIABLES, 'missing.xml') | {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'OFF'},
     'only 5'),
    (dict.fromkeys(PROFILE_VARIABLES, str(profile_path())), None),
])
def test_the_transport_in_force_decides(environment, variables, warned):
    others = {name: value for name, value in environment.items()
              if not name.startswith(('FASTDDS_', 'FASTRTPS_', 'ROS_AUTOMATIC_DISCOVERY'))}
    run = subprocess.run([sys.executable, '-c', WARNING], capture_output=True, text=True,
                         timeout=60, env=others | variables)
    last = run.stdout.splitlines()[-1]
    assert warned in last if warned else last == 'None', run.stderr


@pytest.mark.parametrize('distribution, expected', [
    ('humble', PROFILE_VARIABLES), ('jazzy', PROFILE_VARIABLES), (None, PROFILE_VARIABLES),
    ('kilted', ('FASTDDS_DEFAULT_PROFILES_FILE',))])
def test_the_profile_is_in_the_variables_of_the_distribution(distribution, expected, monkeypatch):
    for name in (*PROFILE_VARIABLES, 'ROS_DISTRO'):
        monkeypatch.delenv(name, raising=False)
    if distribution:
        monkeypatch.setenv('ROS_DISTRO', distribution)
    chosen = local_environment()
    assert {name: chosen[name] for name in PROFILE_VARIABLES if name in chosen} == dict.fromkeys(
        expected, str(profile_path()))
