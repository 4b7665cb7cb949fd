# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of images and labels with any classes, described by a YAML file."""
