# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights of a small untrained network, and its step."""

import pytest


@pytest.fixture(scope='session')
def fusion(tmp_path_factory):
    """Return weights of a network for camera and events, its metadata and its step."""
    from support.untrained import SMALL, metadata_of, untrained

    from mfs_seg_core.export.step import StepNetwork
    from mfs_seg_core.weights.file import save_weights

    network = untrained('fast', events=4, **SMALL)
    metadata = metadata_of(network)
    path = tmp_path_factory.mktemp('weights') / 'fusion.safetensors'
    save_weights(path, network, metadata)
    # At the coarsest scale 5.5 pixels high: no whole number enlarges them.
    return path, metadata, StepNetwork(network, metadata, (64, 44), 'fusion')
