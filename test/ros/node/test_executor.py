# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The executor of the node, with and without that of events."""

import sys
import time

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import Header

from mfs_seg_ros.node.executor import make_executor

pytestmark = pytest.mark.usefixtures('environment')


@pytest.mark.parametrize('events', [True, False])
def test_messages_arrive_and_a_fault_is_raised(monkeypatch, events):
    """With the executor of events where rclpy has it, and as on distributions without it."""
    if not events:
        monkeypatch.setitem(sys.modules, 'rclpy.experimental', None)
    executor = make_executor()
    assert isinstance(executor, SingleThreadedExecutor) or events
    node = rclpy.create_node('receiver')
    received = []

    def receive(message: Header) -> None:
        received.append(message.frame_id)
        if message.frame_id == 'bad':
            raise KeyError('a fault in a callback')

    node.create_subscription(Header, 'headers', receive, 10)
    publisher = node.create_publisher(Header, 'headers', 10)
    executor.add_node(node)
    end_s = time.monotonic() + 10.0
    while not publisher.get_subscription_count() and time.monotonic() < end_s:
        executor.spin_once(timeout_sec=0.1)
    faults = 0
    for name in ('first', 'bad', 'last'):
        publisher.publish(Header(frame_id=name))
        while (not received or received[-1] != name) and time.monotonic() < end_s:
            try:
                executor.spin_once(timeout_sec=0.1)
            except KeyError:
                faults += 1
    assert received == ['first', 'bad', 'last']
    assert faults == 1
    executor.shutdown()
    node.destroy_node()
