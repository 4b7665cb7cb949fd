# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO without reports of its use over the network, and with one core per process."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import openvino


def disable_reports() -> None:
    """
    Keep OpenVINO from reporting its use, in this process; to be called before it is imported.

    Importing it reports at once, unless the package `openvino_telemetry` is missing.
    """
    sys.modules.setdefault('openvino_telemetry', None)


@cache
def openvino_core() -> openvino.Core:
    """
    Return the core of OpenVINO that this process uses.

    On processors with AMX, each core with a compiled model replaces the signal stack of its thread,
    and restores the one it found when it ends. If two cores do not end in the reverse order of
    their creation, the stack of one that has ended remains, and the next signal ends the process.
    """
    disable_reports()
    import openvino

    return openvino.Core()
