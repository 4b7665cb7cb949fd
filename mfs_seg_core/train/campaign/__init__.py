# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Campaigns: several training stages in order, each on data that stay on the device."""
