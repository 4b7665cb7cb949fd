#!/usr/bin/env bash
# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs every test; arguments go to pytest.
. "$(dirname "$0")/setup.sh"
cd "$repository"
# A domain of its own: no node of somebody else takes part.
export ROS_DOMAIN_ID=${ROS_DOMAIN_ID:-$((1 + RANDOM % 100))}
# The tests' tensors are so small that threads would wait for one another, for long on a busy machine.
export OMP_NUM_THREADS=1
ruff check .
python -m pytest "$@"
