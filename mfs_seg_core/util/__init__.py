# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Helpers for the other packages: files, text, tables, charts, modalities and provenance."""
