# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Studies that reproduce the paper's claims; no other package imports them."""
