# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Told to be secure, the node does not run open.

Fast DDS from PyPI has no security, so that keys that open something cannot be tried; keys that open
nothing can, on any ROS 2.
"""

import subprocess
import sys

import pytest
from support.camera import MODULE, TIMEOUT_S

# What SROS2 puts into an enclave.
KEYS = ('identity_ca.cert.pem', 'permissions_ca.cert.pem', 'cert.pem', 'key.pem', 'governance.p7s',
        'permissions.p7s')


def end_of_a_node(environment, keystore, strategy: str) -> tuple[int, str]:
    """Return the exit status of a node with this keystore, and all that it said."""
    secure = {'ROS_SECURITY_ENABLE': 'true', 'ROS_SECURITY_STRATEGY': strategy,
              'ROS_SECURITY_KEYSTORE': str(keystore)}
    result = subprocess.run(
        [sys.executable, '-m', MODULE, '--ros-args', '--enclave', '/mfs_seg'],
        capture_output=True, text=True, env={**environment, **secure}, timeout=2 * TIMEOUT_S)
    return result.returncode, result.stdout + result.stderr


def test_without_keys_it_does_not_start(environment, tmp_path):
    status, said = end_of_a_node(environment, tmp_path, 'Enforce')
    assert status == 1
    assert 'SECURITY ERROR' in said and 'does not exist' in said and 'Traceback' not in said


@pytest.mark.parametrize('strategy', ['Enforce', 'Permissive'])
def test_with_false_keys_it_does_not_start(environment, tmp_path, strategy):
    enclave = tmp_path / 'enclaves' / 'mfs_seg'
    enclave.mkdir(parents=True)
    for name in KEYS:
        (enclave / name).write_text('not a key\n')
    status, said = end_of_a_node(environment, tmp_path, strategy)
    assert status == 1 and 'security' in said.lower()
    assert 'weights' not in said, 'it went on to work'
