# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights files: parameters of a network and the metadata that inference needs."""

from mfs_seg_core.weights.file import (
    WeightsError,
    build,
    find_weights,
    load_weights,
    save_weights,
)
from mfs_seg_core.weights.metadata import Metadata

__all__ = ['Metadata', 'WeightsError', 'build', 'find_weights', 'load_weights', 'save_weights']
