# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One step of a network as a file for other runtimes: ONNX, OpenVINO, the native engine."""

from mfs_seg_core.util.openvino_runtime import disable_reports

disable_reports()
