# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run ``mfs-seg compare`` by its former name: ``python -m mfs_seg_core.beside``."""

import sys

from mfs_seg_core.paper.comparison import main

if __name__ == '__main__':
    sys.exit(main())
