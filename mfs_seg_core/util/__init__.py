# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Helpers independent of networks: files, text, modalities, charts, provenance."""
