# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Bags of ROS 1 and ROS 2, also cut and damaged ones, without ROS.

The package rosbags reads message definitions here, not files: its readers refuse a whole file for
one channel of another kind than ROS messages, for a missing summary or for one damaged page, and
none returns the messages before the damage.
"""
