# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Outputs of the recorder: metrics, video, contact sheet."""
