# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A package in place of torch, where torch is not to be found."""

raise ModuleNotFoundError("No module named 'torch'", name='torch')
