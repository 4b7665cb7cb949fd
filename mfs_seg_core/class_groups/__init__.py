# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Groups of classes: masks with fewer ids, such as 'drivable' and 'vulnerable'."""

from __future__ import annotations

from mfs_seg_core.class_groups.file import find_groups, load_groups, shipped_groups
from mfs_seg_core.class_groups.groups import ClassGroups

__all__ = ['ClassGroups', 'find_groups', 'load_groups', 'shipped_groups']
