# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO without reports of its use over the network."""

import sys


def disable_reports() -> None:
    """
    Keep OpenVINO from reporting its use, in this process; to be called before it is imported.

    Importing it reports at once, unless the package `openvino_telemetry` is missing.
    """
    sys.modules.setdefault('openvino_telemetry', None)
