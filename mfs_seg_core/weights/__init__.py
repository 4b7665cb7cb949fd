# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights files: parameters of a network and the metadata that inference needs."""
