# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Energy of operations: of 32-bit floats in 45 nm (Horowitz, ISSCC 2014).

Papers on spiking networks use the same model (Hu et al. 2024, MS-ResNet; Su et al. 2024). It leaves
out memory, neurons and norms, which fold into the convolutions before them.
"""

# Of a multiplication and an addition, and of an addition alone, in pJ.
MAC_PJ = 4.6
AC_PJ = 0.9
