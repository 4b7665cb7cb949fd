# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of commands that take weights."""

import pytest


@pytest.fixture(scope='session')
def weights(tmp_path_factory):
    """Return the path of weights of an untrained network."""
    from support.untrained import metadata_of, untrained

    from mfs_seg_core.weights.file import save_weights

    path = tmp_path_factory.mktemp('weights') / 'test.safetensors'
    network = untrained('fast')
    save_weights(path, network, metadata_of(network))
    return path
