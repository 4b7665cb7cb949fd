# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The spiking network: neuron, blocks, network; and networks to compare it with."""
