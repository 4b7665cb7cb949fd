# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Event camera data: messages, decoders, recordings, simulation and network input tensors."""
