#!/usr/bin/env bash
# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs the linters and every test; arguments go to pytest.
. "$(dirname "$0")/setup.sh"
cd "$repository"
# A domain of its own: no other node on this machine takes part.
export ROS_DOMAIN_ID=${ROS_DOMAIN_ID:-$((1 + RANDOM % 100))}
# The tests' tensors are so small that several threads only wait for one another.
export OMP_NUM_THREADS=1
ruff check .
pydoclint --quiet mfs_seg_core mfs_seg_ros
# Two workers; test/conftest.py decides which tests stay together. -n 0 runs all in one process.
# A worker that ends early ends the run: the other would wait for the tests of its group.
python -m pytest -n 2 --max-worker-restart=0 "$@"
