# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The player as a process, and somebody who hears what it publishes."""

import subprocess
import sys
import time
from contextlib import contextmanager

import rclpy
from event_camera_msgs.msg import EventPacket
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

TIMEOUT_S = 60.0


class Ear:
    """Hears what the player publishes, and when."""

    def __init__(self, qos: QoSProfile, events: bool = False):
        self.images = []
        self.labels = []
        self.packets = []
        self.times = []
        self.node = rclpy.create_node('ear')
        self.node.create_subscription(Image, 'camera/label', self.labels.append, qos)
        self.node.create_subscription(Image, 'camera/image_raw', self._on_image, qos)
        if events:
            # As much as a driver's queue holds, and not reliable: no driver's topic is.
            self.node.create_subscription(
                EventPacket, 'event_camera/events', self.packets.append,
                QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT))
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)

    def _on_image(self, message: Image) -> None:
        self.times.append(time.monotonic())
        self.images.append(message)

    def listen(self, until) -> None:
        """Take messages until a condition is true and a moment longer."""
        end = time.monotonic() + TIMEOUT_S
        while not until():
            assert time.monotonic() < end, 'the player does not do what was waited for'
            self.executor.spin_once(timeout_sec=0.05)
        quiet = time.monotonic() + 0.3
        while time.monotonic() < quiet:
            self.executor.spin_once(timeout_sec=0.05)


@contextmanager
def players():
    """Give a function that starts a player with parameters; none stays behind."""
    processes = []

    def start_player(**parameters) -> subprocess.Popen:
        command = [sys.executable, '-m', 'mfs_seg_ros.player', '--ros-args']
        for name, value in parameters.items():
            command += ['-p', f'{name}:={value}']
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        return process

    try:
        yield start_player
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def stamp_ns(message) -> int:
    """Return the header stamp of a message in nanoseconds."""
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
