#!/bin/bash
# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Starts the node in its environment; arguments are those of segment.launch.py, or a command.
set -e
. "/opt/ros/$ROS_DISTRO/setup.bash"
. /ws/venv/bin/activate
. /ws/install/setup.bash
case ${1:-} in
    '' | *:=*) exec ros2 launch mfs_seg_ros segment.launch.py "$@" ;;
    *) exec "$@" ;;
esac
