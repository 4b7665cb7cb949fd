# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Provenance of results."""

import numpy as np

from mfs_seg_core.util.provenance import DataHash, provenance


def test_same_data_same_hash():
    hashes = []
    for value in (1, 1, 2):
        data = DataHash()
        data.add(np.full((2, 3), value)[:, ::2])
        hashes.append(provenance('train', ['--a', 'b c'], data))
    assert hashes[0] == hashes[1] != hashes[2]
    assert hashes[0]['command'] == "mfs-seg train --a 'b c'"
