# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Label recordings offline: masks, videos, bags and figures, resumed after an interruption."""
