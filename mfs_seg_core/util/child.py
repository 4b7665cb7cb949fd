# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""End of a child process with its parent."""

from __future__ import annotations

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def end_with_parent() -> None:
    """End this process with its parent, even when that is killed (Linux); for ``preexec_fn``."""
    if sys.platform == 'linux':
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
