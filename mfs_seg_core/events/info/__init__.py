# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Analysis of a recording of events: rate, summary, plot."""
