#!/usr/bin/env bash
# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Reads every kind of input of docs/formats.md with the commands and the node, one line a kind, and
# what else users send to a node: a dump of its parameters, a simulated clock that is missing.
# Arguments go to pytest.
. "$(dirname "$0")/setup.sh"
cd "$repository"
export ROS_DOMAIN_ID=${ROS_DOMAIN_ID:-$((1 + RANDOM % 100))}
export OMP_NUM_THREADS=1
python -m pytest -v --no-header test/cases \
    test/ros/node/test_lifecycle.py::test_a_dump_of_the_parameters_can_be_loaded \
    test/ros/pipeline/test_monitor.py::test_what_is_wrong_and_when "$@"
