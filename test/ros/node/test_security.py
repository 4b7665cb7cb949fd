# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
With security required, the node does not start without valid keys.

Fast DDS from PyPI has no security plugins, so valid keys cannot be tested with it. Invalid keys can
be tested with any ROS 2.
"""

import subprocess
import sys

import pytest
from support.camera import MODULE, TIMEOUT_S

# Files of an enclave of SROS2.
KEYS = ('identity_ca.cert.pem', 'permissions_ca.cert.pem', 'cert.pem', 'key.pem', 'governance.p7s',
        'permissions.p7s')


def result_of_node(environment, keystore, strategy: str) -> tuple[int, str]:
    """Return the exit code of a node with this keystore, and its output."""
    secure = {'ROS_SECURITY_ENABLE': 'true', 'ROS_SECURITY_STRATEGY': strategy,
              'ROS_SECURITY_KEYSTORE': str(keystore)}
    result = subprocess.run(
        [sys.executable, '-m', MODULE, '--ros-args', '--enclave', '/mfs_seg'],
        capture_output=True, text=True, env={**environment, **secure}, timeout=2 * TIMEOUT_S)
    return result.returncode, result.stdout + result.stderr


def test_node_does_not_start_without_keys(environment, tmp_path):
    code, output = result_of_node(environment, tmp_path, 'Enforce')
    assert code == 1
    assert 'SECURITY ERROR' in output and 'does not exist' in output and 'Traceback' not in output


@pytest.mark.parametrize('strategy', ['Enforce', 'Permissive'])
def test_node_does_not_start_with_invalid_keys(environment, tmp_path, strategy):
    enclave = tmp_path / 'enclaves' / 'mfs_seg'
    enclave.mkdir(parents=True)
    for name in KEYS:
        (enclave / name).write_text('not a key\n')
    code, output = result_of_node(environment, tmp_path, strategy)
    assert code == 1 and 'security' in output.lower()
    assert 'weights' not in output, 'the node continued'
