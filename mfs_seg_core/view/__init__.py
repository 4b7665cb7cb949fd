# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Live view of a stream in Rerun: sensors, masks, confidence, firing rates and latency."""
