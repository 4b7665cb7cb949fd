# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The path of a frame: from messages to steps of the network, to masks."""
