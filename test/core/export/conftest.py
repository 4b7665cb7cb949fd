# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights of small untrained networks, and their steps."""

import pytest
from support.untrained import metadata_of, untrained

from mfs_seg_core.export.step import StepNetwork
from mfs_seg_core.weights.file import save_weights

SMALL = dict(widths=(8, 16, 24), kernels=((), (3,), (5,)), detail=4)
# Height 48 is 6 pixels at the coarsest scale; 44 is 5.5, whose enlargement is by no whole number.
SIZE = (64, 44)


@pytest.fixture(scope='session')
def fusion(tmp_path_factory):
    """Return weights of a network for camera and events, its metadata and its step."""
    network = untrained('fast', events=4, **SMALL)
    metadata = metadata_of(network)
    path = tmp_path_factory.mktemp('weights') / 'fusion.safetensors'
    save_weights(path, network, metadata)
    return path, metadata, StepNetwork(network, metadata, SIZE, 'fusion')
