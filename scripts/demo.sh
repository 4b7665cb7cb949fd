#!/usr/bin/env bash
# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# A spiking network segments a camera stream through ROS 2; see --help.
. "$(dirname "$0")/setup.sh"
exec python -m mfs_seg_ros.demo "$@"
