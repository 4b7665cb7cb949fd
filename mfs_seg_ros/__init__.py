# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 2 nodes around mfs_seg_core: messages in, masks out."""

from __future__ import annotations

import signal
import sys

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def stop_at_once() -> None:
    """
    Let stop signals end the process at once and without a traceback, while a program is imported.

    PyTorch takes seconds to import, most of them in C, where no handler in Python is called.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)


# `python -m mfs_seg_ros.NAME`: Python imports this package while it locates the program.
if sys.argv[:1] == ['-m']:
    stop_at_once()
