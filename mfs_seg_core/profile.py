# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run ``mfs-seg profile`` by its former name: ``python -m mfs_seg_core.profile``."""

import sys

from mfs_seg_core.analysis.profile import main

if __name__ == '__main__':
    sys.exit(main())
