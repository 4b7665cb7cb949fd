# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Requests to stop a program, made by SIGINT and SIGTERM."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from mfs_seg_ros import STOP_SIGNALS


class Stop:
    """
    Flag that signals set once a program runs.

    Before :meth:`catch_signals`, SIGINT and SIGTERM end the process at once, as PyTorch and
    compilers work for seconds without returning to Python. A signal that comes when the flag is
    set already has no effect.
    """

    # Not a threading.Event: its lock would block the handler of a second signal during the first.
    def __init__(self) -> None:
        self._set = False

    def is_set(self) -> bool:
        """Return whether the program is to stop."""
        return self._set

    def set(self) -> None:
        """Request the stop without a signal."""
        self._set = True

    def catch_signals(self) -> None:
        """Handle SIGINT and SIGTERM by setting the flag; call this in the main thread."""
        for number in STOP_SIGNALS:
            signal.signal(number, lambda *_: self.set())


def end_process(code: int) -> NoReturn:
    """
    End this process without the clean-up of the interpreter, which takes PyTorch long.

    :param code: exit code.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
