# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversion of messages to arrays, and of arrays to messages."""
