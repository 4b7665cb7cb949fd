# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Procedural driving scenes with exact labels."""

from mfs_seg_core.data.street.drive import Street, StreetFrame
from mfs_seg_core.data.street.events import EventCamera
from mfs_seg_core.data.street.sensor import DimCamera

__all__ = ['DimCamera', 'EventCamera', 'Street', 'StreetFrame']
