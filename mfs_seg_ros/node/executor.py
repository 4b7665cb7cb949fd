# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Executor of the node: the one that costs least for each message."""

from __future__ import annotations

from rclpy.executors import Executor, SingleThreadedExecutor


def make_executor() -> Executor:
    """
    Return an executor of one thread.

    The executor of events (rclpy of Jazzy and later) is notified of the entity that has a message.
    The other one examines all entities of the node, about fifty, for each message, which costs 1 ms
    of processor time.
    """
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor()
    return EventsExecutor()
