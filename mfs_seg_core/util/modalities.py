# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Modalities of a network, and their sensors."""

from __future__ import annotations

# Sensors by modality.
SENSORS: dict[str, tuple[str, ...]] = {
    'camera': ('camera',),
    'events': ('events',),
    'fusion': ('camera', 'events'),
}
